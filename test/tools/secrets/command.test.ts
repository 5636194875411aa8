import { chmodSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { CommanderError } from "commander";
import { parse } from "yaml";
import type { SealedSecretObject } from "../../../components/addons/sealedSecrets/files";
import type { Input } from "../../../tools/secrets/input";
import type { SealingKey } from "../../../tools/secrets/keys";
import { secretsCommand } from "../../../tools/secrets/main";
import { checkoutWith, write } from "../engine/support";
import { FakeCluster } from "./fakeCluster";
import { sealingKey, unseal } from "./sealingKeys";

const sentinel = "correct-horse-battery-staple";
const passphrase = "another horse of course";
const now = () => new Date("2026-06-01T08:00:00Z");

describe("npm run secrets", () => {
  let key: SealingKey;
  let cluster: FakeCluster;
  let root: string;
  let env: NodeJS.ProcessEnv;
  before(async function () {
    // The client takes a while to load; that is no test's business.
    this.timeout(60_000);
    await import("@kubernetes/client-node");
    key = await sealingKey();
  });
  beforeEach(() => place(new FakeCluster([key])));
  afterEach(() => cluster.stop());

  async function place(fake: FakeCluster, sealing = "{ namespaces: [inventory] }"): Promise<void> {
    cluster = fake;
    const server = await cluster.start();
    root = checkoutWith({
      "Pulumi.staging.yaml": `config: { kubernetes:context: far, "technova:sealedSecrets": ${sealing} }`,
      "Pulumi.local.yaml": "config: {}",
    });
    const named = (name: string, value: object) => [{ name, ...value }];
    const kubeconfig = {
      clusters: named("c", { cluster: { server, "insecure-skip-tls-verify": true } }),
      users: named("u", { user: {} }),
      contexts: named("far", { context: { cluster: "c", user: "u" } }),
      "current-context": "",
    };
    const file = write(root, "kubeconfig", JSON.stringify(kubeconfig));
    env = { KUBECONFIG: file, TECHNOVA_CLUSTER_DIR: join(root, "none"), HOME: root, PULUMI_STACK: "staging" };
  }

  interface Outcome {
    readonly out: string;
    readonly said: string;
    readonly failed: boolean;
  }

  async function run(args: readonly string[], input: Partial<Input> = {}): Promise<Outcome> {
    const out: string[] = [];
    const said: string[] = [];
    const nobody: Input = {
      interactive: false,
      all: () => Promise.resolve(Buffer.alloc(0)),
      ask: () => Promise.reject(new Error("nobody is there to be asked")),
    };
    const command = secretsCommand(root, {
      env,
      now,
      print: (text) => void out.push(text),
      say: (line) => void said.push(line),
      input: { ...nobody, ...input },
    });
    const outputs = {
      writeOut: (text: string) => void out.push(text),
      writeErr: (text: string) => void said.push(text),
    };
    for (const each of [command, ...command.commands]) each.exitOverride().configureOutput(outputs);
    const exitCode = process.exitCode;
    let failed = false;
    try {
      await command.parseAsync(args, { from: "user" });
      failed = process.exitCode === 1;
    } catch (error) {
      failed = true;
      // What is wrong with the command line was written already.
      if (!(error instanceof CommanderError))
        said.push(error instanceof Error ? error.message : String(error));
    } finally {
      process.exitCode = exitCode;
    }
    return { out: out.join("\n"), said: said.join("\n"), failed };
  }

  const typing = (text: string): Partial<Input> => ({ all: () => Promise.resolve(Buffer.from(text)) });
  const answering = (...answers: string[]): Partial<Input> => ({
    interactive: true,
    ask: () => Promise.resolve(answers.shift() ?? ""),
  });
  const seal = (...args: string[]) => ["seal", "inventory-database", "--key", "url", ...args];
  const opened = (path: string, name = "url") => {
    const { spec } = parse(readFileSync(join(root, path), "utf8")) as SealedSecretObject;
    return unseal(spec.encryptedData[name] ?? "", key.privateKey, "inventory/inventory-database");
  };

  describe("seal", () => {
    it("seals what standard input has, without the line break at its end, with the cluster's certificate", async () => {
      for (const [typed, value] of [
        [`${sentinel}\n`, sentinel],
        [`${sentinel}\r\n`, sentinel],
        [`${sentinel}\n\n`, `${sentinel}\n`],
        [sentinel, sentinel],
      ] as const) {
        const { out, said, failed } = await run(seal(), typing(typed));
        expect(failed, said).to.equal(false);
        expect(out).to.equal("secrets/staging/inventory.inventory-database.yaml");
        expect(opened(out)).to.equal(value);
      }
    });

    it("seals a file as it is, and what a person types", async () => {
      const file = write(root, "value", `${sentinel}\n`);
      expect(opened((await run(seal("--from-file", file))).out)).to.equal(`${sentinel}\n`);
      expect(opened((await run(seal(), answering(sentinel))).out)).to.equal(sentinel);
    });

    it("asks no cluster where it is given a certificate", async () => {
      const file = write(root, "cert.pem", key.certificate);
      expect(opened((await run(seal("--cert", file), typing(sentinel))).out)).to.equal(sentinel);
      expect(cluster.requests).to.deep.equal([]);
    });

    it("shows the value nowhere, and sends it to nobody", async () => {
      const { out, said } = await run(seal(), typing(sentinel));
      const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) =>
        each.isFile(),
      );
      const texts = files.map((each) => readFileSync(join(each.parentPath, each.name), "latin1"));
      for (const text of [out, said, ...texts, ...cluster.requests, ...cluster.sent]) {
        expect(text).to.not.contain(sentinel);
        expect(text).to.not.contain(Buffer.from(sentinel).toString("base64").slice(0, 20));
      }
      expect(cluster.sent).to.deep.equal([]);
    });

    it("takes no value from the command line", async () => {
      for (const args of [
        [sentinel],
        ["--value", sentinel],
        [`--value=${sentinel}`],
        ["--from-literal", sentinel],
      ]) {
        const { failed, out, said: told } = await run(seal(...args), typing(sentinel));
        expect(failed, args.join(" ")).to.equal(true);
        expect(out).to.equal("");
        expect(told).to.not.contain(sentinel);
      }
      expect(readdirSync(root)).to.not.include("secrets");
    });

    it("says what to do where nothing would open it, before it asks for the value", async () => {
      const never: Partial<Input> = { all: () => Promise.reject(new Error("it has asked")) };
      const cases: readonly [string[], RegExp][] = [
        [
          seal("--namespace", "gateway"),
          /namespaces of Pulumi\.staging\.yaml has inventory, and not gateway/,
        ],
        [seal("--stack", "local"), /The stack local has no controller/],
        [seal("--stack", "nowhere"), /There is no Pulumi\.nowhere\.yaml/],
        [["seal", "Upper", "--key", "url"], /lower-case letters/],
        [["seal", "a", "--key", "../x"], /letters, digits/],
        [["seal", "a"], /--key/],
        [seal("--cert", join(root, "none")), /cannot be read: ENOENT/],
      ];
      for (const [args, told] of cases) {
        const { said, failed } = await run(args, never);
        expect(failed, args.join(" ")).to.equal(true);
        expect(said).to.match(told);
      }
      cluster.certificate = undefined;
      expect((await run(seal(), never)).said).to.contain("no controller for sealed Secrets in the cluster");
    });

    it("seals nothing that is empty, or larger than a Secret can be", async () => {
      for (const typed of ["", "\n"]) expect((await run(seal(), typing(typed))).said).to.contain("is empty");
      expect((await run(seal(), typing("x".repeat(1024 * 1024 + 1)))).said).to.contain(
        "a Secret can hold 1048576",
      );
    });
  });

  describe("list", () => {
    it("shows names and keys, and what the cluster says where it is asked", async () => {
      expect((await run(["list"])).out).to.equal("Nothing is sealed for the stack.");
      await run(seal(), typing(sentinel));
      await run(seal("--key", "password"), typing(sentinel));
      const rows = (text: string) => text.split("\n").map((line) => line.split(/\s{2,}/));
      expect(rows((await run(["list"])).out)).to.deep.equal([
        ["namespace", "name", "type", "scope", "keys"],
        ["inventory", "inventory-database", "Opaque", "strict", "password, url"],
      ]);
      const state = async () => rows((await run(["list", "--live"])).out)[1]?.[4];
      expect(await state()).to.equal("not in the cluster yet");
      const path = "/apis/bitnami.com/v1alpha1/namespaces/inventory/sealedsecrets/inventory-database";
      const live = (status: string, generation: number) =>
        cluster.put(path, {
          metadata: { name: "inventory-database", generation } as never,
          status: { observedGeneration: 1, conditions: [{ type: "Synced", status, message: "no key" }] },
        });
      live("True", 1);
      expect(await state()).to.equal("unsealed");
      live("True", 2);
      expect(await state()).to.equal("not looked at yet");
      live("False", 1);
      expect(await state()).to.equal("failed: no key");
      expect((await run(["list", "--live"])).failed).to.equal(true);
    });

    it("fails where a file cannot be used", async () => {
      write(root, "secrets/staging/a.yaml", "kind: Secret");
      const { said, failed } = await run(["list"]);
      expect(failed).to.equal(true);
      expect(said).to.contain("cannot be used: secrets/staging/a.yaml: ");
    });
  });

  it("certificate prints what can be given to seal, and nothing else", async () => {
    const { out, said } = await run(["certificate"]);
    expect(out).to.match(/^-----BEGIN CERTIFICATE-----[^]*-----END CERTIFICATE-----$/);
    expect(said).to.match(/^([0-9A-F]{2}:){31}[0-9A-F]{2}, valid until 2036-01-01$/);
    const file = write(root, "cert.pem", out);
    expect(opened((await run(seal("--cert", file), typing(sentinel))).out)).to.equal(sentinel);
  });

  describe("backup-key and restore-key", () => {
    const files = () => ({ out: join(root, "keys.json"), secret: join(root, "passphrase") });
    beforeEach(() => {
      write(root, "passphrase", `${passphrase}\n`);
      chmodSync(files().secret, 0o600);
    });
    const backup = () => run(["backup-key", "--out", files().out, "--passphrase-file", files().secret]);

    it("bring the keys into a cluster that has lost them, which then opens what was sealed before", async () => {
      const path = (await run(seal(), typing(sentinel))).out;
      const { spec } = parse(readFileSync(join(root, path), "utf8")) as SealedSecretObject;
      const made = await backup();
      expect(made.failed, made.said).to.equal(false);
      expect(statSync(files().out).mode & 0o777).to.equal(0o600);
      expect(made.said).to.contain("1 key of staging").and.not.contain("PRIVATE KEY");
      const kept = readFileSync(files().out, "utf8");
      await cluster.stop();
      await place(new FakeCluster([await sealingKey("sealed-secrets-keynew")]));
      write(root, "keys.json", kept);
      const restored = await run(["restore-key", files().out], answering(passphrase));
      expect(restored.failed, restored.said).to.equal(false);
      expect(restored.said).to.contain("sealed-secrets-key1 is put back").and.not.contain("PRIVATE KEY");
      expect(cluster.objects.has("/api/v1/namespaces/sealing/secrets/sealed-secrets-keynew")).to.equal(true);
      const back = cluster.objects.get("/api/v1/namespaces/sealing/secrets/sealed-secrets-key1");
      const { data, metadata } = back as unknown as {
        data: Record<string, string>;
        metadata: { labels: object };
      };
      expect(metadata.labels).to.deep.equal({ "sealedsecrets.bitnami.com/sealed-secrets-key": "active" });
      const again = Buffer.from(data["tls.key"] ?? "", "base64").toString();
      const label = "inventory/inventory-database";
      expect(unseal(spec.encryptedData.url ?? "", again, label)).to.equal(sentinel);
      // The controller reads its keys when it starts; nothing else is started anew.
      expect(cluster.requests.filter((each) => each.startsWith("DELETE"))).to.deep.equal([
        "DELETE /api/v1/namespaces/sealing/pods/sealed-secrets-1",
      ]);
    });

    it("change nothing where the keys are there, or another has the name of one", async () => {
      await backup();
      const again = await run(["restore-key", files().out], answering(passphrase));
      expect(again.out).to.equal("Nothing was missing.");
      expect(cluster.requests.some((each) => !each.startsWith("GET"))).to.equal(false);
      const kept = readFileSync(files().out, "utf8");
      await cluster.stop();
      await place(new FakeCluster([await sealingKey()]));
      write(root, "keys.json", kept);
      const { failed, said } = await run(["restore-key", files().out], answering(passphrase));
      expect(failed).to.equal(true);
      expect(said).to.contain("another key under the name sealed-secrets-key1");
      expect(cluster.requests.some((each) => !each.startsWith("GET"))).to.equal(false);
    });

    it("ask twice for a new passphrase, and take none that is short or that others can read", async () => {
      const out = ["backup-key", "--out", files().out];
      expect((await run(out, answering(passphrase, `${passphrase}x`))).said).to.contain("differ");
      expect((await run(out, answering("short"))).said).to.contain("12 characters or more");
      expect((await run(out)).said).to.contain("no terminal to ask");
      chmodSync(files().secret, 0o644);
      expect((await backup()).said).to.contain(`chmod 600 ${files().secret}`);
      expect(readdirSync(root)).to.not.include("keys.json");
      rmSync(files().secret);
      expect((await backup()).said).to.contain("cannot be read: ENOENT");
    });
  });
});
