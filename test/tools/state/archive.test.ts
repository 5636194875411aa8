import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import fc from "fast-check";
import { pack } from "tar-stream";
import { readArchive, sealed, sha256, writeArchive } from "../../../tools/state/archive";
import { contentOf } from "../../../tools/state/content";
import type { Manifest } from "../../../tools/state/manifest";
import { messageOfFailure } from "../engine/support";

const head: Omit<Manifest, "parts"> = {
  format: "technova-state",
  version: 1,
  created: "2026-11-25T08:00:00.000Z",
  project: "tiny",
  stack: "test",
  backend: "file",
  versions: { platform: "0.1.0", node: "20.19.0" },
  resources: 1,
  updates: 1,
};
const state = (...urns: string[]) =>
  Buffer.from(
    JSON.stringify({
      version: 3,
      checkpoint: { latest: { resources: urns.map((urn) => ({ urn, type: "a:b:C" })) } },
    }),
  );
const stateName = "backend/stacks/tiny/test.json";
const historyName = "backend/history/tiny/test/test-1764000000000000000.history.json";
const good = () =>
  new Map([
    [stateName, state("urn:pulumi:test::tiny::a:b:C::x")],
    [historyName, Buffer.from('{"kind":"update"}')],
  ]);

const read = (bytes: Buffer) => readArchive(bytes, "an.tar.gz");
const complaint = (bytes: Buffer) => messageOfFailure(() => read(bytes));

/** An archive whose files are not what its manifest says, sealed as a forger would. */
async function forged(
  files: readonly (readonly [name: string, content: string | Buffer, type?: "symlink"])[],
) {
  const tar = pack();
  for (const [name, content, type] of files) {
    if (type === "symlink") tar.entry({ name, type, linkname: String(content) });
    else tar.entry({ name }, content);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return sealed(gzipSync(Buffer.concat(chunks)));
}

const manifestOf = (parts: ReadonlyMap<string, Buffer>, more: Partial<Manifest> = {}) =>
  JSON.stringify({
    ...head,
    parts: [...parts].map(([name, content]) => ({ name, bytes: content.length, sha256: sha256(content) })),
    ...more,
  });

describe("archives of a stack", function () {
  this.timeout(120_000);
  let bytes: Buffer;
  before(async () => (bytes = await writeArchive(head, good())));

  it("gives back what was put in, and any tar can read it", async () => {
    const { manifest, parts } = await read(bytes);
    expect([...parts]).to.deep.equal([...good()]);
    expect(manifest).to.deep.include({ project: "tiny", stack: "test" });
    expect(contentOf({ manifest, parts })).to.deep.include({ updates: 1, pending: 0 });
    const folder = mkdtempSync(join(tmpdir(), "archive-test-"));
    try {
      writeFileSync(join(folder, "a.tar.gz"), bytes);
      const listed = execFileSync("tar", ["tzf", join(folder, "a.tar.gz")], { encoding: "utf8" });
      expect(listed.trim().split("\n")).to.deep.equal(["manifest.json", stateName, historyName]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses it when any byte is another one", async () => {
    for (let at = 0; at < bytes.length; at++) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ (1 << (at % 8));
      expect(await complaint(other), `byte ${at}`).to.match(/no archive that can be trusted/);
    }
  });

  it("refuses it with bytes changed, missing, added or in another order", () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length),
        fc.nat(bytes.length),
        fc.uint8Array({ maxLength: 40 }),
        async (one, other, between) => {
          const [from, to] = [Math.min(one, other), Math.max(one, other)];
          const changed = Buffer.concat([bytes.subarray(0, from), between, bytes.subarray(to)]);
          fc.pre(!changed.equals(bytes));
          expect(await complaint(changed)).to.match(/no archive that can be trusted/);
        },
      ),
      { numRuns: 500 },
    ));

  it("refuses what is no archive at all", async () => {
    for (const text of ["", "x", "not an archive ".repeat(100)])
      expect(await complaint(Buffer.from(text))).to.match(/no archive that can be trusted/);
  });

  const cases: Record<string, [make: () => Promise<Buffer>, reason: RegExp]> = {
    "a file that the manifest does not list": [
      () =>
        forged([
          ["manifest.json", manifestOf(new Map())],
          [stateName, "{}"],
        ]),
      /is not in its manifest/,
    ],
    "a part that is missing": [() => forged([["manifest.json", manifestOf(good())]]), /is missing/],
    "a part with another content": [
      () =>
        forged([
          ["manifest.json", manifestOf(good())],
          ...[...good().keys()].map((name) => [name, "{}"] as const),
        ]),
      /is not as it was written/,
    ],
    "a part twice": [
      () =>
        forged([
          ["manifest.json", manifestOf(good())],
          [stateName, "{}"],
          [stateName, "{}"],
        ]),
      /is in it twice/,
    ],
    "no manifest": [() => forged([[stateName, "{}"]]), /manifest\.json is missing/],
    "a manifest that is none": [() => forged([["manifest.json", "{}"]]), /manifest\.json cannot be read/],
    "a link": [() => forged([["manifest.json", "/etc/passwd", "symlink"]]), /is no plain file/],
    "a newer form": [
      () => forged([["manifest.json", manifestOf(good(), { version: 2 })]]),
      /has form 2, .* update the platform/,
    ],
  };
  for (const name of [
    "../../evil.json",
    "/etc/passwd",
    "backend/stacks/tiny/../../../evil.json",
    "backend/stacks/tiny/other.json",
    "backend/stacks/other/test.json",
    "backend/locks/organization/tiny/test/x.json",
    "settings/Pulumi.other.yaml",
    "cloud/export.json",
    "backend\\stacks\\tiny\\test.json",
  ]) {
    cases[`the name ${name}`] = [
      () => writeArchive(head, new Map([[name, Buffer.from("{}")]])),
      /has no place in it/,
    ];
  }
  for (const [what, [make, reason]] of Object.entries(cases)) {
    it(`refuses ${what}`, async () => expect(await complaint(await make())).to.match(reason));
  }

  it("refuses contents that are no state, or another stack's", () => {
    const told = (content: Buffer) =>
      messageOfFailure(() =>
        contentOf({ manifest: { ...head, parts: [] }, parts: new Map([[stateName, content]]) }),
      );
    return Promise.all([
      told(Buffer.from("{")).then((text) => expect(text).to.match(/cannot be read as what it should be/)),
      told(Buffer.from("{}")).then((text) => expect(text).to.match(/cannot be read as what it should be/)),
      told(state("urn:pulumi:prod::tiny::a:b:C::x")).then((text) => expect(text).to.match(/another stack/)),
    ]);
  });
});
