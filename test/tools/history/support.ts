import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const imageOf = (digit: string): string => `registry.example/inventory@sha256:${digit.repeat(64)}`;

/** The history of one stack as a backend that keeps files writes it: one update a minute. */
export function historyOnDisk(count: number, bookkeeping: string): string {
  const folder = join(bookkeeping, "history/technova/local");
  mkdirSync(folder, { recursive: true });
  for (let number = 1; number <= count; number += 1) {
    const name = join(folder, `local-${idAt(number)}`);
    writeFileSync(`${name}.history.json`, entryText(number));
    writeFileSync(`${name}.history.json.attrs`, "{}");
    writeFileSync(`${name}.checkpoint.json`, checkpointText(number));
  }
  return bookkeeping;
}

export const idAt = (number: number): string =>
  String(1_795_590_000_000_000_000n + BigInt(number) * 60_000_000_000n);

export function entryText(number: number, more: object = {}, images: "built" | "released" = "built"): string {
  const [repository = "", digest] = imageOf(String(number % 10)).split("@");
  return JSON.stringify({
    kind: "update",
    startTime: 1_795_590_000 + number * 60,
    message: `number ${number}`,
    environment: {
      "git.head": "ab".repeat(20),
      "git.dirty": "false",
      "exec.agent": "technova-platform user=a@b",
    },
    config: {
      "technova:application": {
        version: `1.0.${number}`,
        image: images === "built" ? { build: { repository } } : { repository, digest },
        schemaRevision: "0004",
        replicas: 2,
      },
      "technova:secrets": { databaseUrl: { secure: "v1:bm9uY2U=:c2VjcmV0" } },
    },
    version: 0,
    result: "succeeded",
    endTime: 1_795_590_030 + number * 60,
    resourceChanges: { same: 130, update: 1 },
    ...more,
  });
}

/** As large as a real one may be, where `padding` says so. */
export function checkpointText(number: number, padding = 0, salt = "v1:abc"): string {
  const outputs = {
    adminApiKey: { ciphertext: "v1:x" },
    image: imageOf(String(number % 10)),
    url: "https://x",
  };
  const rollout = {
    type: "kubernetes:argoproj.io/v1alpha1:Rollout",
    inputs: {
      spec: { template: { metadata: { annotations: { "technova.io/release": `release-${number}` } } } },
    },
  };
  return JSON.stringify({
    version: 3,
    checkpoint: {
      stack: "organization/technova/local",
      latest: {
        manifest: { time: "2026-11-24T22:08:10Z" },
        secrets_providers: { type: "passphrase", state: { salt } },
        resources: [
          { urn: "urn:stack", custom: false, type: "pulumi:pulumi:Stack", outputs },
          {
            urn: "urn:other",
            type: "random:index/x:X",
            outputs: { image: imageOf("9"), p: "x".repeat(padding) },
          },
          rollout,
        ],
      },
    },
  });
}
