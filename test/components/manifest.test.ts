import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createHash } from "node:crypto";
import { expect } from "chai";
import { parseObjects, readManifest, withoutDescriptions } from "../../components/manifest";

const file = "deploy/objects.yaml";
const yaml =
  "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n---\n# nothing\n---\napiVersion: v1\nkind: Secret\nmetadata: { name: b }\nstatus: {}\n";

describe("an upstream manifest", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "manifest-"));
    write("components/manifests.lock.json", JSON.stringify([entry(yaml)]));
    write(`.manifests/operator@1.2.3/${file}`, yaml);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }

  const sum = (content: string) => createHash("sha256").update(content).digest("hex");
  const entry = (content: string) => ({
    name: "operator",
    module: "example.com/operator",
    version: "1.2.3",
    url: "https://example.com/{version}/{path}",
    files: [{ path: file, sha256: sum(content) }],
  });

  it("is read object by object, without the status that only a cluster knows", () => {
    expect(readManifest(root, "operator")).to.deep.equal([
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "b" } },
    ]);
  });

  it("is read without the prose of its definitions, but with what they define", () => {
    const schema = (description: unknown) => ({ type: "object", properties: { description } });
    const described = {
      kind: "CustomResourceDefinition",
      spec: { ...schema({ type: "string", description: "Prose." }) },
    };
    expect(withoutDescriptions({ ...described, description: "Prose." })).to.deep.equal({
      kind: "CustomResourceDefinition",
      spec: schema({ type: "string" }),
    });
  });

  it("keeps a string that looks like a date", () => {
    const text = "apiVersion: v1\nkind: A\nmetadata: { name: a }\nspec: { since: 2026-01-01 }\n";
    expect(parseObjects(text, "a.yaml")[0]?.spec).to.deep.equal({ since: "2026-01-01" });
  });

  it("is refused when it is not the pinned one, with both sums", () => {
    const changed = `${yaml}# changed`;
    write(`.manifests/operator@1.2.3/${file}`, changed);
    expect(() => readManifest(root, "operator"))
      .to.throw(new RegExp(`expected SHA-256 ${sum(yaml)}\\n  actual   SHA-256 ${sum(changed)}`))
      .with.property("message")
      .that.matches(/npm run manifests/);
  });

  it("says how to fetch it when it is not there", () => {
    rmSync(join(root, ".manifests"), { recursive: true });
    expect(() => readManifest(root, "operator")).to.throw(/is not there\. .*npm run manifests/);
  });

  it("has to be in the lock", () => {
    expect(() => readManifest(root, "other")).to.throw(/has no "other"; it has operator/);
  });

  it("has to hold objects", () => {
    expect(() => parseObjects("- a\n- b\n", "list.yaml")).to.throw(
      /list\.yaml holds something without apiVersion/,
    );
    expect(() => parseObjects("a: [", "torn.yaml")).to.throw(/torn\.yaml is not YAML/);
  });

  it("of this checkout is pinned by what upstream released", () => {
    const lock = JSON.parse(readFileSync("components/manifests.lock.json", "utf8")) as { name: string }[];
    expect(lock.map(({ name }) => name)).to.include.members(["gateway-api", "metrics-server"]);
  });
});
