import type { ContainerPolicy, Judge, ObjectPolicy, Policy } from "./frame/policy";
import {
  credentialFor,
  credentialInCommand,
  credentialOfUser,
  credentialShapeIn,
  namesCredential,
  separated,
} from "./frame/credentials";
import { absentOrNot } from "./frame/tests";
import type { Field } from "./frame/field";
import { podsOf } from "./frame/workloads";

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
    const lists = ["command", "args"].map((key) => judge.items(field.at(key)));
    const isCurl = lists.flat().some(({ value }) => /(^|\/)curl$/.test(String(value)));
    for (const parts of lists) {
      let flagBefore: string | undefined;
      for (const part of parts) {
        const text = String(part.value);
        const owner = text.startsWith("-") ? undefined : flagBefore;
        const [, flag = owner ?? "", value = text] = withValue.exec(text) ?? attached.exec(text) ?? [];
        const what =
          credentialFor(flag, value, credentialInCommand) ??
          (namesUser.test(flag) ? credentialOfUser(value, isCurl) : undefined);
        if (what !== undefined) judge.report(part, `holds ${what} (not shown), must refer to a Secret`);
        flagBefore = /^--?([A-Za-z][A-Za-z0-9_.-]*)$/.exec(text)?.[1];
      }
    }
  },
};

/** `--option=value`, and `-uuser:password`. */
const withValue = /^--?([A-Za-z0-9_.-]+)=(.*)$/s;
const attached = /^-(u)(.+)$/s;
/** `-u`, also behind others as in `-fsSu`, and `--user`. */
const namesUser = /^([A-Za-z]*u|(proxy-)?user)$/;

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

/** A copy of the object, which is judged itself. */
const copyOfObject = "kubectl.kubernetes.io/last-applied-configuration";

/** `config-hash`, and Helm's `checksum/config`: random characters that are made from something else. */
function namesDigest(name: string, own: string): boolean {
  if (name.startsWith("checksum/")) return true;
  const word = /(^|[._-])(checksum|hash|digest|sha\d*|fingerprint|etag)($|[._-])/i;
  return word.test(separated(own)) && !namesCredential(own);
}

/** `auth-secret: team/basic-auth`: an annotation that names a Secret holds none. */
const namesSecret = /secrets?$/i;
const objectName = /^([a-z0-9-]+\/)?[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

export const noSecretsInMetadata: ObjectPolicy = {
  name: "no-secrets-in-metadata",
  area: "secrets",
  severity: "critical",
  description: "No label or annotation holds a secret.",
  why: "Whoever may list objects reads them, and metrics, events and logs carry them further.",
  remedy: [
    "Put the value into a Secret and name that, where something has to find it.",
    "Treat the value that was here as known to others: replace it.",
  ],
  link: goodPractices,
  checkObject(object, judge) {
    const nested = podsOf(object).filter(({ root }) => root !== object.root);
    const holders = [object.root.at("metadata"), ...nested.map(({ metadata }) => metadata)];
    for (const metadata of holders) {
      for (const key of ["labels", "annotations"]) {
        for (const [name, value] of metadata.at(key).entries()) {
          const own = name.slice(name.lastIndexOf("/") + 1);
          if (name === copyOfObject) continue;
          if (namesDigest(name, own)) {
            const what = credentialShapeIn(String(value.value));
            if (what !== undefined) reportCredential(judge, value, what);
            continue;
          }
          if (namesSecret.test(own) && objectName.test(String(value.value))) continue;
          expectNoCredential(judge, own, value);
        }
      }
    }
  },
};

/** Type of a Secret that Kubernetes fills with an account's token. */
export const tokenType = "kubernetes.io/service-account-token";

export const noTokenSecrets: ObjectPolicy = {
  name: "no-token-secrets",
  area: "secrets",
  severity: "high",
  description: "No Secret asks for a service account's token that never ends.",
  why: "Such a token stays valid until the Secret is deleted, wherever it has been copied to.",
  remedy: [
    "Mount a projected token into the pod: Kubernetes renews it.",
    "For something outside of the cluster, ask for a token that ends, with kubectl create token.",
  ],
  link: "https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets",
  kinds: ["Secret"],
  checkObject({ group, root }, judge) {
    if (group === "core") judge.expect(root.at("type"), absentOrNot(tokenType));
  },
};

const scopes = ["namespace-wide", "cluster-wide"].map((scope) => `sealedsecrets.bitnami.com/${scope}`);

export const strictSealedSecrets: ObjectPolicy = {
  name: "strict-sealed-secrets",
  area: "secrets",
  severity: "high",
  description:
    "Every SealedSecret opens under its own name and namespace only, and has no value in plain text.",
  why: "With a wider scope, whoever may make a SealedSecret elsewhere has the value read to them there.",
  remedy: [
    "Seal the value anew: npm run secrets -- seal binds it to its name and namespace.",
    "Treat a value that was in the template in plain text as known to others: replace it.",
  ],
  link: "https://github.com/bitnami/sealed-secrets#scopes",
  kinds: ["SealedSecret"],
  checkObject({ group, root }, judge) {
    if (group !== "bitnami.com") return;
    for (const holder of [root, root.at("spec", "template")]) {
      for (const scope of scopes) {
        judge.expect(holder.at("metadata", "annotations", scope), absentOrNot("true"));
      }
    }
    for (const [, value] of root.at("spec", "template", "data").entries()) {
      if (judge.knows(value) && !value.absent)
        judge.report(value, "is a value in plain text (not shown), must be sealed");
    }
  },
};

/** Reports `value` if it is a credential, without showing it. */
function expectNoCredential(judge: Judge, name: string, value: Field, decode = (text: string) => text): void {
  if (!judge.knows(value) || typeof value.value !== "string") return;
  const what = credentialFor(name, decode(value.value));
  if (what !== undefined) reportCredential(judge, value, what);
}

function reportCredential(judge: Judge, value: Field, what: string): void {
  judge.report(value, `holds ${what} (not shown), must come from a Secret`);
}

export const secretPolicies: readonly Policy[] = [
  noPlainSecretsInEnv,
  noPlainSecretsInArguments,
  noSecretsInConfigMaps,
  noSecretsInMetadata,
  noTokenSecrets,
  strictSealedSecrets,
];
