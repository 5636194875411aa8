import { expect } from "chai";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureManifests } from "../../../tools/manifests/ensure";
import {
  loadManifestLock,
  manifestFile,
  manifestLockPath,
  type ManifestEntry,
} from "../../../tools/manifests/lock";
import { updateManifest } from "../../../tools/manifests/main";
import { fileAddress, type ManifestSource } from "../../../tools/manifests/sources";

const sum = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("upstream manifests", () => {
  let root: string;
  let lines: string[];
  const release = { "crds/a.yaml": "a", "crds/b.yaml": "b" };

  const entry = (files: Record<string, string> = release): ManifestEntry => ({
    name: "example",
    module: "example.test/module",
    version: "1.2.3",
    url: "https://example.test/v{version}/{path}",
    files: Object.entries(files).map(([path, content]) => ({ path, sha256: sum(content) })),
  });

  function lock(entries: unknown): void {
    mkdirSync(join(root, "components"), { recursive: true });
    writeFileSync(join(root, manifestLockPath), JSON.stringify(entries));
  }

  function source(name: string, files: Record<string, string>): ManifestSource & { reads: number } {
    return {
      name,
      reads: 0,
      async read(_entry, path) {
        this.reads += 1;
        const content = files[path];
        if (content === undefined) throw new Error(`no ${path}`);
        return Buffer.from(content);
      },
    };
  }

  const ensure = (...sources: ManifestSource[]) =>
    ensureManifests(root, { log: (line) => lines.push(line), sources: async () => sources });
  const failure = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => expect.fail("it was expected to fail"),
      (error: Error) => error.message,
    );
  const cached = (path: string): string => manifestFile(root, entry(), path);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "technova-manifests-"));
    lines = [];
    lock([entry()]);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("are fetched once and then taken from the cache", async () => {
    const first = source("first", release);
    await ensure(first);
    await ensure(first);
    expect(readFileSync(cached("crds/b.yaml"), "utf8")).to.equal("b");
    expect(first.reads).to.equal(2);
    expect(lines).to.deep.equal(["manifests: example 1.2.3 from first"]);
  });

  it("come from the next source when one lacks a file", async () => {
    await ensure(source("partial", { "crds/a.yaml": "a" }), source("whole", release));
    expect(lines).to.deep.equal(["manifests: example 1.2.3 from whole"]);
  });

  it("are not written at all when one of them is not what the lock says", async () => {
    const message = await failure(ensure(source("changed", { ...release, "crds/b.yaml": "other" })));
    expect(message).to.include("crds/b.yaml").and.to.include(sum("b")).and.to.include(sum("other"));
    expect(existsSync(cached("crds/a.yaml"))).to.equal(false);
  });

  it("are verified in the cache too", async () => {
    await ensure(source("first", release));
    writeFileSync(cached("crds/a.yaml"), "edited");
    const message = await failure(ensure(source("first", release)));
    expect(message).to.include(sum("edited")).and.to.include("delete it to fetch it again");
  });

  it("say what each source lacked, and what to open, when none has them", async () => {
    const message = await failure(ensure(source("one", {}), source("two", { "crds/a.yaml": "a" })));
    expect(message).to.include("one: no crds/a.yaml").and.to.include("two: no crds/b.yaml");
    expect(message)
      .to.include("https://example.test/v1.2.3/...")
      .and.to.include("example.test/module@v1.2.3");
  });

  it("move to another version with new sums", async () => {
    const next = source("next", { "crds/a.yaml": "a2", "crds/b.yaml": "b2" });
    await updateManifest(root, "example", "v1.3.0", { log: () => undefined, sources: async () => [next] });
    const [updated] = loadManifestLock(root);
    expect(updated).to.deep.equal({
      ...entry({ "crds/a.yaml": "a2", "crds/b.yaml": "b2" }),
      version: "1.3.0",
    });
    await ensureManifests(root, { log: (line) => lines.push(line), sources: async () => [] });
    expect(lines).to.deep.equal([]);
  });

  it("stay in their version when the other one lacks a file or is no version", async () => {
    const options = { log: () => undefined, sources: async () => [source("next", { "crds/a.yaml": "a2" })] };
    expect(await failure(updateManifest(root, "example", "1.3.0", options))).to.include("no crds/b.yaml");
    expect(await failure(updateManifest(root, "example", "latest", options))).to.include("version");
    expect(await failure(updateManifest(root, "other", "1.3.0", options))).to.include(
      'no "other"; it has example',
    );
    expect(loadManifestLock(root)).to.deep.equal([entry()]);
  });

  for (const [what, change] of [
    ["a path out of its folder", { files: [{ path: "../x", sha256: sum("") }] }],
    ["an absolute path", { files: [{ path: "/x", sha256: sum("") }] }],
    ["a sum that is none", { files: [{ path: "x", sha256: "abc" }] }],
    ["a url without {path}", { url: "https://example.test/{version}" }],
    ["plain http", { url: "http://example.test/{version}/{path}" }],
    ["an unknown field", { branch: "main" }],
  ] as const) {
    it(`of a lock with ${what} are refused`, async () => {
      lock([{ ...entry(), ...change }]);
      expect(await failure(ensure())).to.include(manifestLockPath);
    });
  }

  it("of the checkout have addresses that name release and file", () => {
    for (const real of loadManifestLock(join(__dirname, "../../.."))) {
      for (const { path } of real.files) {
        expect(fileAddress(real, path))
          .to.include(`v${real.version}/`)
          .and.to.satisfy((url: string) => url.endsWith(path));
      }
    }
  });
});
