import { expect } from "chai";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar-stream";
import { folderEntries, writeLayer, type LayerEntry } from "../../../tools/cluster/images/layer";
import { configBytes, digestOf, manifestBytes, mediaTypes } from "../../../tools/cluster/images/layout";
import { localReference } from "../../../tools/cluster/images/reference";

describe("image layers", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "technova-layer-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const entries: LayerEntry[] = [
    { path: "bin", type: "directory" },
    { path: "bin/tool", type: "file", mode: 0o755, content: "#!/bin/sh\n" },
    { path: "bin/alias", type: "symlink", target: "tool" },
    { path: "data", type: "directory", uid: 999, gid: 999, mode: 0o700 },
  ];

  it("have the same bytes whatever the order and the time", async () => {
    const first = await writeLayer(entries, join(folder, "a.tar"));
    const second = await writeLayer([...entries].reverse(), join(folder, "b.tar"));
    expect(second).to.deep.equal(first);
    const bytes = readFileSync(join(folder, "a.tar"));
    expect(first.digest).to.equal(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
    expect(first.size).to.equal(bytes.length);
  });

  it("differ when a mode, an owner or a target differs", async () => {
    const digests = new Set<string>();
    const variants: LayerEntry[] = [
      { path: "x", type: "file", content: "a" },
      { path: "x", type: "file", content: "b" },
      { path: "x", type: "file", content: "a", mode: 0o600 },
      { path: "x", type: "file", content: "a", uid: 999 },
      { path: "x", type: "symlink", target: "a" },
      { path: "x", type: "symlink", target: "b" },
    ];
    for (const entry of variants) digests.add((await writeLayer([entry], join(folder, "v.tar"))).digest);
    expect(digests.size).to.equal(variants.length);
  });

  it("keep the later of two entries with one path", async () => {
    const file = join(folder, "twice.tar");
    await writeLayer([...entries, { path: "bin/tool", type: "file", content: "new" }], file);
    const found: string[] = [];
    const reader = extract();
    reader.end(readFileSync(file));
    for await (const entry of reader) {
      const { name, type, uid } = entry.header;
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      found.push(`${type} ${name} ${uid} ${Buffer.concat(chunks).toString()}`.trimEnd());
    }
    expect(found).to.deep.equal([
      "directory bin 0",
      "symlink bin/alias 0",
      "file bin/tool 0 new",
      "directory data 999",
    ]);
  });

  it("take a folder without its times, owners and set-user-id bits", async () => {
    const make = (name: string) => {
      const source = join(folder, name);
      mkdirSync(join(source, "sub"), { recursive: true });
      writeFileSync(join(source, "sub", "su"), "binary");
      chmodSync(join(source, "sub", "su"), 0o4755);
      writeFileSync(join(source, "empty"), "");
      writeFileSync(join(source, "skipped"), "");
      symlinkSync("sub/su", join(source, "link"));
      return folderEntries(source, (path) => path === "skipped");
    };
    const first = await writeLayer(make("one"), join(folder, "1.tar"));
    const second = await writeLayer(make("two"), join(folder, "2.tar"));
    expect(second.digest).to.equal(first.digest);
    const plain: LayerEntry[] = [
      { path: "empty", type: "file", content: "" },
      { path: "link", type: "symlink", target: "sub/su" },
      { path: "sub", type: "directory" },
      { path: "sub/su", type: "file", mode: 0o755, content: "binary" },
    ];
    expect((await writeLayer(plain, join(folder, "3.tar"))).digest).to.equal(first.digest);
  });
});

describe("image manifests", () => {
  it("have a digest that depends on their content alone", () => {
    const config = configBytes({ entrypoint: ["/x"], user: "1:1", env: { A: "b" } }, ["sha256:aa"]);
    expect(digestOf(config)).to.equal(
      digestOf(configBytes({ entrypoint: ["/x"], user: "1:1", env: { A: "b" } }, ["sha256:aa"])),
    );
    const parsed = JSON.parse(config.toString()) as { config: Record<string, unknown>; rootfs: unknown };
    expect(parsed.config.Entrypoint).to.deep.equal(["/x"]);
    expect(parsed.config.User).to.equal("1:1");
    expect(parsed.config.Env).to.include("A=b");
    expect(parsed.rootfs).to.deep.equal({ type: "layers", diff_ids: ["sha256:aa"] });
  });

  it("let the environment of the image replace the default PATH", () => {
    const { config } = JSON.parse(configBytes({ env: { PATH: "/opt" } }, []).toString()) as {
      config: { Env: string[] };
    };
    expect(config.Env).to.deep.equal(["PATH=/opt"]);
  });

  it("hold descriptors and nothing else of a blob", () => {
    const blob = { mediaType: mediaTypes.layer, digest: "sha256:bb", size: 3, path: "/somewhere" };
    const manifest = JSON.parse(manifestBytes(blob, [blob]).toString()) as { layers: unknown[] };
    expect(manifest.layers).to.deep.equal([{ mediaType: mediaTypes.layer, digest: "sha256:bb", size: 3 }]);
  });
});

describe("names of loaded images", () => {
  const cases: [string, string, string][] = [
    ["redis:8", "docker.io/library/redis", "8"],
    ["acme/tool:1.2", "docker.io/acme/tool", "1.2"],
    ["quay.io/acme/tool:v1", "quay.io/acme/tool", "v1"],
    ["localhost:5050/inventory:1.0.0", "inventory", "1.0.0"],
    ["localhost:5050/docker.io/library/redis:8", "docker.io/library/redis", "8"],
    ["registry.local:8080/a/b:c", "registry.local:8080/a/b", "c"],
  ];
  for (const [name, repository, tag] of cases) {
    it(`${name} goes to ${repository}`, () => {
      expect(localReference(name)).to.deep.equal({ repository, tag });
    });
  }
  for (const name of ["redis", "redis@sha256:00", "", "Redis:1", "redis:"]) {
    it(`refuses "${name}"`, () => expect(() => localReference(name)).to.throw("image name with a tag"));
  }
});
