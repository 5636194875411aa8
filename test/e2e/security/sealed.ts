import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { sealedFolder, sealingNamespace } from "../../../components/addons/sealedSecrets/names";
import { eventually } from "../delivery/platform";
import { kubectl } from "../support/cluster";
import { checkout, npm, type Outcome } from "../support/command";
import { withSettings } from "../support/settings";

/** Switches the controller on in a copy of the local stack's settings. */
export const sealingEdit = [/( +)(technova:registry:)/, "$1technova:sealedSecrets: {}\n$1$2"] as const;

const name = "e2e-sealed";
const inNamespace = ["-n", "inventory"];
/** Their own file tells the commands which namespaces there are. */
const secrets = (...args: string[]) =>
  withSettings("local", [sealingEdit], () => npm("secrets", ...args, "--stack", "local"));

/**
 * A value that was sealed is a Secret after an update, under its own name alone, and is so again in a cluster that has
 * lost the keys and got them back.
 */
export async function sealedSecretsAreOpened(update: () => Promise<Outcome>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sealed-"));
  const value = join(folder, "value");
  const passphrase = join(folder, "passphrase");
  const keys = join(folder, "keys.json");
  const sentinel = randomBytes(24).toString("hex");
  writeFileSync(value, sentinel);
  writeFileSync(passphrase, randomBytes(24).toString("hex"), { mode: 0o600 });
  try {
    const sealed = await secrets("seal", name, "--key", "token", "--from-file", value);
    succeeded(sealed);
    const text = readFileSync(join(checkout, sealed.stdout.trim()), "utf8");
    expect(sealed.output + text).not.to.contain(sentinel);
    succeeded(await update());
    expect(await valueIn(name)).to.equal(sentinel);
    expect(await stateOf()).to.equal("unsealed");
    await anotherNameOpensNothing(text, folder);

    succeeded(await secrets("backup-key", "--out", keys, "--passphrase-file", passphrase));
    await loseKeys();
    expect(await stateOf()).to.match(/^failed: no key could decrypt/);
    succeeded(await secrets("restore-key", keys, "--passphrase-file", passphrase));
    await eventually("unsealed again", 120, stateOf, (state) => state === "unsealed");
    expect(await valueIn(name)).to.equal(sentinel);
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(join(checkout, sealedFolder("local")), { recursive: true, force: true });
  }
}

/** Whoever takes a sealed value to a name of their own gets nothing. */
async function anotherNameOpensNothing(text: string, folder: string): Promise<void> {
  const object = parse(text) as { metadata: object };
  const file = join(folder, "other.yaml");
  writeFileSync(file, stringify({ ...object, metadata: { ...object.metadata, name: "e2e-other" } }));
  await kubectl("apply", "-f", file);
  try {
    const status = () =>
      kubectl(
        "get",
        "sealedsecret",
        "e2e-other",
        ...inNamespace,
        "-o",
        "jsonpath={.status.conditions[0].status}",
      );
    await eventually("refused", 60, status, (found) => found === "False");
    expect(await valueIn("e2e-other")).to.equal("");
  } finally {
    await kubectl("delete", "-f", file);
  }
}

async function loseKeys(): Promise<void> {
  await kubectl(
    ...["delete", "secrets", "-n", sealingNamespace],
    ...["-l", "sealedsecrets.bitnami.com/sealed-secrets-key"],
  );
  await kubectl("delete", "secret", name, ...inNamespace);
  const deployment = ["deployment/sealed-secrets", "-n", sealingNamespace];
  await kubectl("rollout", "restart", ...deployment);
  await kubectl("rollout", "status", ...deployment, "--timeout=120s");
  await eventually("noticed", 60, stateOf, (state) => state.startsWith("failed"));
}

/** What the cluster says of the one that was sealed. */
async function stateOf(): Promise<string> {
  const { stdout } = await secrets("list", "--live", "--json");
  const [only] = JSON.parse(stdout) as { state: string }[];
  return only?.state ?? "";
}

async function valueIn(secret: string): Promise<string> {
  const text = await kubectl(
    ...["get", "secret", secret, ...inNamespace, "--ignore-not-found", "-o", "jsonpath={.data.token}"],
  );
  return Buffer.from(text, "base64").toString();
}

function succeeded({ code, output }: Outcome): void {
  expect(code, output).to.equal(0);
}
