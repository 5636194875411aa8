import { expect } from "chai";
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contextDigest } from "../../../../tools/plugins/docker/context";
import { ignoreRules } from "../../../../tools/plugins/docker/ignore";

describe("docker: .dockerignore", () => {
  for (const [file, ignored, kept] of [
    ["node_modules", ["node_modules", "node_modules/a/b"], ["src/node_modules", "node_modules2"]],
    ["**/node_modules", ["node_modules/a", "src/lib/node_modules/b"], ["src/node_modules.txt"]],
    ["*.md", ["README.md"], ["docs/README.md"]],
    ["**/*.pyc", ["a.pyc", "x/y/a.pyc"], ["a.py"]],
    ["docs/**", ["docs/a", "docs/b/c"], ["doc", "src/docs"]],
    ["*\n!src\n!Dockerfile", ["README.md", "test/a"], ["src/a/b", "Dockerfile"]],
    ["*.txt\n!keep.txt\nkeep.txt", ["keep.txt"], []],
    ["# a comment\n\n  /build/  \n", ["build/a"], ["# a comment", "src/build"]],
    ["a?c\n[xy].log", ["abc", "x.log"], ["a/c", "z.log"]],
    ["a.b", ["a.b"], ["aXb"]],
  ] as const) {
    it(JSON.stringify(file), () => {
      const rules = ignoreRules(file);
      expect(ignored.filter((path) => !rules.ignores(path))).to.deep.equal([]);
      expect(kept.filter((path) => rules.ignores(path))).to.deep.equal([]);
    });
  }
});

describe("docker: digest of a build context", () => {
  let folder: string;
  const digest = () => contextDigest(folder, join(folder, "Dockerfile"));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "context-test-"));
    await mkdir(join(folder, "src"));
    await writeFile(join(folder, "Dockerfile"), "FROM scratch\n", { mode: 0o644 });
    await writeFile(join(folder, "src/main.py"), "print()\n", { mode: 0o644 });
    await writeFile(join(folder, ".dockerignore"), "*.log\n", { mode: 0o644 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is the sum that the official plugin comes to", () => {
    // SHA-256 over name, mode and SHA-256 of each file, each followed by a zero byte, the Dockerfile first.
    expect(digest()).to.equal("6a57d3bd1849d1cbcf7fbf8a7bc815a28721a0f119872a7c5bd0a37b77efe509");
  });

  for (const [change, make] of [
    ["the content of a file", () => writeFile(join(folder, "src/main.py"), "print(1)\n")],
    ["the name of a file", () => rename(join(folder, "src/main.py"), join(folder, "src/other.py"))],
    ["the mode of a file", () => chmod(join(folder, "src/main.py"), 0o755)],
    ["the Dockerfile", () => writeFile(join(folder, "Dockerfile"), "FROM busybox\n")],
    ["a new link", () => symlink("src/main.py", join(folder, "link"))],
  ] as const) {
    it(`changes with ${change}`, async () => {
      const before = digest();
      await make();
      expect(digest()).not.to.equal(before);
    });
  }

  it("stays with a file that is ignored, and with the time of a file", async () => {
    const before = digest();
    await writeFile(join(folder, "build.log"), "text");
    await writeFile(join(folder, "src/main.py"), "print()\n");
    expect(digest()).to.equal(before);
  });
});
