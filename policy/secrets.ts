import type { ContainerPolicy, Judge, ObjectPolicy, Policy } from "./frame/policy";
import { credentialFor, credentialIn } from "./frame/credentials";
import type { Field } from "./frame/field";

const goodPractices = "https://kubernetes.io/docs/concepts/security/secrets-good-practices/";

export const noPlainSecretsInEnv: ContainerPolicy = {
  name: "no-plain-secrets-in-env",
  area: "secrets",
  severity: "critical",
  description: "No container has a secret in plain text in its environment.",
  why: "Everybody who may read pods reads it, and it ends up in crash reports, child processes and logs.",
  remedy: [
    "Put the value into a Secret, from requireSecret or RandomPassword.",
    "Mount it as a file; where the program takes only the environment, use valueFrom.secretKeyRef.",
    "Treat the value that was here as known to others: replace it.",
  ],
  link: goodPractices,
  checkContainer({ field }, judge) {
    for (const variable of judge.items(field.at("env"))) {
      const name = variable.at("name");
      if (judge.knows(name)) expectNoCredential(judge, String(name.value), variable.at("value"));
    }
  },
};

export const noPlainSecretsInArguments: ContainerPolicy = {
  name: "no-plain-secrets-in-arguments",
  area: "secrets",
  severity: "critical",
  description: "No container has a secret in plain text in its command line.",
  why: "Everybody who may read pods, or list processes on the node, reads it.",
  remedy: [
    "Put the value into a Secret and pass the path of the mounted file, or $(VARIABLE) of a secretKeyRef.",
    "Treat the value that was here as known to others: replace it.",
  ],
  link: goodPractices,
  checkContainer({ field }, judge) {
    for (const key of ["command", "args"]) {
      let flagBefore: string | undefined;
      for (const part of judge.items(field.at(key))) {
        const text = String(part.value);
        const owner = text.startsWith("-") ? undefined : flagBefore;
        const [, flag = owner, value = text] = /^--?([A-Za-z0-9_.-]+)=(.*)$/s.exec(text) ?? [];
        const what = flag === undefined ? credentialIn(text) : credentialFor(flag, value);
        if (what !== undefined) judge.report(part, `holds ${what} (not shown), must refer to a Secret`);
        flagBefore = /^--?([A-Za-z][A-Za-z0-9_.-]*)$/.exec(text)?.[1];
      }
    }
  },
};

export const noSecretsInConfigMaps: ObjectPolicy = {
  name: "no-secrets-in-config-maps",
  area: "secrets",
  severity: "critical",
  description: "No ConfigMap holds a secret.",
  why: "ConfigMaps are readable by many more accounts than Secrets and are not encrypted at rest.",
  remedy: [
    "Move the value into a Secret, from requireSecret or RandomPassword.",
    "Treat the value that was here as known to others: replace it.",
  ],
  link: goodPractices,
  kinds: ["ConfigMap"],
  checkObject({ root }, judge) {
    for (const [name, value] of root.at("data").entries()) expectNoCredential(judge, name, value);
    for (const [name, value] of root.at("binaryData").entries()) {
      expectNoCredential(judge, name, value, (text) => Buffer.from(text, "base64").toString("latin1"));
    }
  },
};

/** Reports `value` if it is a credential, without showing it. */
function expectNoCredential(judge: Judge, name: string, value: Field, decode = (text: string) => text): void {
  if (!judge.knows(value) || typeof value.value !== "string") return;
  const what = credentialFor(name, decode(value.value));
  if (what !== undefined) judge.report(value, `holds ${what} (not shown), must come from a Secret`);
}

export const secretPolicies: readonly Policy[] = [
  noPlainSecretsInEnv,
  noPlainSecretsInArguments,
  noSecretsInConfigMaps,
];
