import { changed, goodPod, holding, outcome, type Path, podTypes, unknown, written } from "../support/policy";
import {
  noPlainSecretsInArguments,
  noPlainSecretsInEnv,
  noSecretsInConfigMaps,
  noSecretsInMetadata,
  noTokenSecrets,
  strictSealedSecrets,
} from "../../policy/secrets";
import { describePodPolicy } from "./cases";
import { expect } from "chai";
import { judgeResource } from "../../policy/frame/evaluate";

const sentinel = "correct-horse-battery";
const env = (name: string) => changed(goodPod(), ["spec", "containers", 0, "env", 0, "name"], name);

describe("policy/secrets", () => {
  describePodPolicy(noPlainSecretsInEnv, {
    container: ["env", 0, "value"],
    right: [undefined, "info", "postgresql://db.inventory:5432/inventory", "http://gateway/"],
    wrong: [
      `postgresql://inventory:${sentinel}@db:5432/inventory`,
      "-----BEGIN RSA PRIVATE KEY-----\nMIIB",
      `ghp_${"a1B2".repeat(9)}`,
    ],
  });

  describe(noPlainSecretsInEnv.name, () => {
    const judged = (name: string, value: unknown) =>
      outcome(
        noPlainSecretsInEnv,
        podTypes.Pod,
        changed(env(name), ["spec", "containers", 0, "env", 0, "value"], value),
      );

    it("refuses a plain value under the name of a secret", () => {
      for (const name of [
        "DB_PASSWORD",
        "API_KEY",
        "apiKey",
        "GITHUB_TOKEN",
        "DATABASE_URL",
        "CLIENT_SECRET",
      ]) {
        expect(judged(name, sentinel).violations, name).to.have.length(1);
      }
    });
    it("accepts a reference to a secret", () => {
      const variable = { name: "DB_PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } };
      const pod = changed(goodPod(), ["spec", "containers", 0, "env", 0], variable);
      expect(outcome(noPlainSecretsInEnv, podTypes.Pod, pod).violations).to.be.empty;
    });
    it("accepts what only speaks of a secret", () => {
      for (const [name, value] of [
        ["DB_PASSWORD_FILE", "/etc/secrets/password"],
        ["TOKEN_TTL_SECONDS", "3600"],
        ["REQUIRE_TOKEN", "true"],
        ["PASSWORD", "$(FROM_SECRET)"],
      ] as const) {
        expect(judged(name, value).violations, name).to.be.empty;
      }
    });
    it("says so when a name or value is unknown", () => {
      expect(judged("DB_PASSWORD", unknown).undecided).to.have.length(1);
      expect(judged(unknown, sentinel).undecided).to.have.length(1);
    });
    it("never shows the value", () => {
      const props = changed(env("DB_PASSWORD"), ["spec", "containers", 0, "env", 0, "value"], sentinel);
      const [finding] = judgeResource(noPlainSecretsInEnv, {
        type: podTypes.Pod,
        urn: "urn",
        props,
      }).violations;
      expect(finding?.found).to.be.a("string").that.does.not.contain(sentinel);
    });
  });

  describePodPolicy(noPlainSecretsInArguments, {
    container: ["args", 0],
    right: ["serve", "--password-file=/etc/secrets/password", "--token=$(TOKEN)", "--level=info"],
    wrong: [`--password=${sentinel}`, `--api-key=${sentinel}`, `--dsn=postgres://a:${sentinel}@db/x`],
  });
  describePodPolicy(noPlainSecretsInArguments, {
    container: ["args", 1],
    right: ["$(TOKEN)", "/etc/secrets/token", "--verbose"],
    wrong: [sentinel],
    before: [[["args", 0], "--token"]],
  });
  describePodPolicy(noPlainSecretsInArguments, {
    container: ["command", 0],
    right: ["/usr/bin/env"],
    wrong: [`curl -H 'Authorization: Bearer ${"a1B2c3D4".repeat(4)}' http://x`],
  });

  for (const [what, command, right, wrong] of [
    [
      "a script",
      ["sh", "-c"],
      ["mysql --password $PASSWORD", "mysql --password-file /run/x", "serve --port 8080"],
      ["mysql --password hunter2", "mysql --password swordfish", "curl -u admin:swordfish http://x"],
    ],
    [
      "the user that curl is given",
      ["/usr/bin/curl", "-fsS", "-u"],
      ["$(NAME):$(PASSWORD)", "admin:", "admin"],
      ["admin:hunter2", "admin:swordfish", "-uadmin:swordfish"],
    ],
    [
      "the user that another program is given",
      ["run", "--user"],
      ["nginx:nginx", "1000:1000", "admin:5000", "https://x.example:8443/a1"],
      ["admin:hunter2"],
    ],
  ] as const) {
    describe(`${noPlainSecretsInArguments.name}: ${what}`, () => {
      const judged = (value: string) => {
        const container = ["spec", "containers", 0];
        const pod = changed(goodPod(), [...container, "command"], [...command, value]);
        return outcome(noPlainSecretsInArguments, podTypes.Pod, pod).violations;
      };
      const at = `spec.containers[0].command[${command.length}]`;
      for (const value of right) it(`accepts ${value}`, () => expect(judged(value)).to.be.empty);
      for (const value of wrong) it(`refuses ${value}`, () => expect(judged(value)).to.deep.equal([at]));
    });
  }

  describe(noSecretsInConfigMaps.name, () => {
    const judged = (path: readonly string[], value: unknown) =>
      outcome(noSecretsInConfigMaps, "kubernetes:core/v1:ConfigMap", changed({}, path, value));
    const base64 = (text: string) => Buffer.from(text).toString("base64");

    it("accepts settings", () => {
      expect(judged(["data", "INVENTORY_LOG_LEVEL"], "info").violations).to.be.empty;
      expect(judged(["data", "config.yaml"], "level: info\nport: 8080\n").violations).to.be.empty;
      expect(judged(["binaryData", "logo"], base64("PNG")).violations).to.be.empty;
      expect(judged([], {}).violations).to.be.empty;
    });
    it("refuses a secret, whether its name or its value tells", () => {
      expect(judged(["data", "password"], sentinel).violations).to.deep.equal(["data.password"]);
      const config = `database:\n  url: postgres://app:${sentinel}@db/app\n`;
      expect(judged(["data", "config"], config).violations).to.deep.equal(["data.config"]);
      const key = base64("-----BEGIN PRIVATE KEY-----\nMII");
      expect(judged(["binaryData", "tls"], key).violations).to.deep.equal(["binaryData.tls"]);
    });
    it("says so when a value or the whole is unknown", () => {
      expect(judged(["data", "level"], unknown).undecided).to.deep.equal(["data.level"]);
      expect(judged(["data"], unknown).undecided).to.deep.equal(["data"]);
    });
  });

  describe(noSecretsInMetadata.name, () => {
    const service = "kubernetes:core/v1:Service";
    const judged = (key: string, name: string, value: unknown) =>
      outcome(noSecretsInMetadata, service, changed({}, ["metadata", key, name], value));
    const sum = "q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6j7K8l9Z0x1C=";

    it("accepts what labels and annotations are for", () => {
      for (const [name, value] of [
        ["app.kubernetes.io/name", "inventory"],
        ["technova.io/why", "API keys travel in headers."],
        ["checksum/config", sum],
        ["technova.io/config-hash", sum],
        ["technova.io/configHash", sum],
        ["technova.io/sha256", sum],
        ["pod-template-hash", sum],
        ["nginx.ingress.kubernetes.io/auth-secret", "team/basic-auth"],
        ["kubectl.kubernetes.io/last-applied-configuration", `{"password":"${sentinel}"}`],
      ] as const) {
        expect(judged("annotations", name, value).violations, name).to.be.empty;
      }
      expect(outcome(noSecretsInMetadata, service, {}).violations).to.be.empty;
    });
    it("refuses a secret, whether its name or its value tells", () => {
      for (const [name, value] of [
        ["technova.io/api-token", sentinel],
        ["technova.io/client-secret", "Correct Horse!"],
        ["technova.io/url", `postgres://app:${sentinel}@db/app`],
        ["technova.io/blob", sum],
        ["vault.hashicorp.com/agent-token", sentinel],
        ["vault.hashicorp.com/agent-role", `hv${"s"}.${"a1B2c3".repeat(4)}`],
        ["team/shared-token", `gh${"p"}_${"a1B2".repeat(9)}`],
        ["team/shared", sum],
        ["team/hash-token", sentinel],
        ["team/password-hash", `$2${"y"}$10$${"a1B2".repeat(13)}`],
        ["checksum/config", `gh${"p"}_${"a1B2".repeat(9)}`],
      ] as const) {
        for (const key of ["labels", "annotations"]) {
          expect(judged(key, name, value).violations).to.deep.equal([`metadata.${key}["${name}"]`]);
        }
      }
    });
    it("looks at pod templates too, once", () => {
      const path = ["metadata", "annotations", "password"];
      const pod = changed(goodPod(), path, sentinel);
      expect(outcome(noSecretsInMetadata, podTypes.Pod, pod).violations).to.deep.equal([path.join(".")]);
      expect(
        outcome(noSecretsInMetadata, podTypes.CronJob, holding("CronJob", pod)).violations,
      ).to.deep.equal([`spec.jobTemplate.spec.template.${path.join(".")}`]);
    });
    it("says so when a value or the whole is unknown", () => {
      expect(judged("labels", "app", unknown).undecided).to.deep.equal(["metadata.labels.app"]);
      const { undecided } = outcome(noSecretsInMetadata, service, { metadata: unknown });
      expect(undecided).to.deep.equal(["metadata"]);
    });
    it("never shows the value", () => {
      const props = { metadata: { annotations: { password: sentinel } } };
      const [finding] = judgeResource(noSecretsInMetadata, { type: service, urn: "urn", props }).violations;
      expect(finding?.found).to.be.a("string").that.does.not.contain(sentinel);
    });
  });

  describe(noTokenSecrets.name, () => {
    const judged = (type: unknown) => outcome(noTokenSecrets, "kubernetes:core/v1:Secret", { type });

    it("accepts other types, and none", () => {
      for (const type of [undefined, "Opaque", "kubernetes.io/tls"])
        expect(judged(type).violations).to.be.empty;
    });
    it("refuses tokens", () => {
      expect(judged("kubernetes.io/service-account-token").violations).to.deep.equal(["type"]);
    });
    it("says so when the type is unknown", () => {
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided: ["type"] });
    });
  });

  describe(strictSealedSecrets.name, () => {
    const type = "kubernetes:bitnami.com/v1alpha1:SealedSecret";
    const good = {
      metadata: { name: "database", namespace: "inventory", annotations: { team: "inventory" } },
      spec: { encryptedData: { url: "AgB" }, template: { metadata: { annotations: { team: "inventory" } } } },
    };
    const judged = (path: Path, value: unknown) =>
      outcome(strictSealedSecrets, type, changed(good, path, value));

    for (const holder of [
      ["metadata", "annotations"],
      ["spec", "template", "metadata", "annotations"],
    ]) {
      for (const scope of ["namespace-wide", "cluster-wide"]) {
        const path = [...holder, `sealedsecrets.bitnami.com/${scope}`];
        it(`takes no ${scope} scope from ${holder.join(".")}`, () => {
          for (const right of [undefined, "false"]) {
            expect(judged(path, right)).to.deep.equal({ violations: [], undecided: [] });
          }
          expect(judged(path, "true").violations).to.deep.equal([written(path)]);
          expect(judged(path, unknown).undecided).to.deep.equal([written(path)]);
        });
      }
    }
    it("takes no value in plain text, and never shows one", () => {
      const path = ["spec", "template", "data", "password"];
      expect(judged(path, undefined).violations).to.be.empty;
      expect(judged(path, null).violations).to.be.empty;
      expect(judged(path, unknown).undecided).to.deep.equal([path.join(".")]);
      const props = changed(good, path, sentinel);
      const { violations } = judgeResource(strictSealedSecrets, { type, urn: "urn", props });
      expect(violations.map(({ field }) => field.path)).to.deep.equal([path.join(".")]);
      expect(JSON.stringify(violations.map(({ found }) => found))).to.not.contain(sentinel);
    });
    it("says nothing of another group's kind of that name", () => {
      const props = changed(good, ["spec", "template", "data", "password"], sentinel);
      const other = "kubernetes:example.com/v1:SealedSecret";
      expect(outcome(strictSealedSecrets, other, props).violations).to.be.empty;
    });
  });
});
