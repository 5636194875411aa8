import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readKubeconfig, selectTarget } from "../../../../../tools/plugins/kubernetes/cluster/kubeconfig";

const SELECTION = { kubeconfig: "", context: "", cluster: "", namespace: "" };

function config(name: string, server: string, more = ""): string {
  return [
    "apiVersion: v1",
    "kind: Config",
    `current-context: ${name}`,
    `clusters: [{ name: ${name}, cluster: { server: "${server}", certificate-authority: ca.crt } }]`,
    `users: [{ name: ${name}, user: { client-certificate: /etc/client.crt, client-key: keys/client.key } }]`,
    `contexts: [{ name: ${name}, context: { cluster: ${name}, user: ${name} ${more} } }]`,
  ].join("\n");
}

describe("kubeconfig", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "kubeconfig-test-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  function file(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  it("is read from its content", async () => {
    const { cluster, user, namespace } = selectTarget(
      await readKubeconfig(config("a", "https://a")),
      SELECTION,
    );
    expect([cluster.server, user?.name, namespace]).to.deep.equal(["https://a", "a", "default"]);
  });

  it("is read from a path, whose files lie beside it", async () => {
    const { cluster, user } = selectTarget(
      await readKubeconfig(file("a", config("a", "https://a"))),
      SELECTION,
    );
    expect(cluster.caFile).to.equal(join(folder, "ca.crt"));
    expect(user).to.include({ certFile: "/etc/client.crt", keyFile: join(folder, "keys/client.key") });
  });

  it("is joined from several paths, missing ones left out, the first of a name counting", async () => {
    const paths = [
      join(folder, "missing"),
      file("a", config("a", "https://a")),
      file("b", config("b", "https://b", ", namespace: own")),
      file("again", config("b", "https://other")),
    ];
    const joined = await readKubeconfig(paths.join(":"));
    expect(joined.contexts.map(({ name }) => name)).to.deep.equal(["a", "b"]);
    expect(selectTarget(joined, SELECTION).cluster.server).to.equal("https://a");
    const other = selectTarget(joined, { ...SELECTION, context: "b" });
    expect([other.cluster.server, other.namespace]).to.deep.equal(["https://b", "own"]);
    const mixed = selectTarget(joined, { ...SELECTION, context: "a", cluster: "b", namespace: "mine" });
    expect([mixed.cluster.server, mixed.user?.name, mixed.namespace]).to.deep.equal([
      "https://b",
      "a",
      "mine",
    ]);
  });

  it("says what there is when something else is wanted", async () => {
    const read = await readKubeconfig(config("a", "https://a"));
    const wanted = (selection: object) => () => selectTarget(read, { ...SELECTION, ...selection });
    expect(wanted({ context: "b" })).to.throw('the kubeconfig has no context "b", but "a"');
    expect(wanted({ cluster: "b" })).to.throw('the kubeconfig has no cluster "b", but "a"');
    expect(() => selectTarget({ ...read, currentContext: "" }, SELECTION)).to.throw("no current context");
    expect(() => selectTarget({ ...read, contexts: [] }, SELECTION)).to.throw("none at all");
  });

  it("takes a kubeconfig of which parts are empty", async () => {
    const empty = await readKubeconfig(
      "apiVersion: v1\nkind: Config\nclusters: null\ncontexts: []\nusers:\n",
    );
    expect(empty).to.deep.equal({ clusters: [], users: [], contexts: [], currentContext: "" });
  });
});
