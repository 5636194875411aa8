import { expect } from "chai";
import { controls } from "../../../tools/security/controls";
import { cases, container, files, securityContext } from "./cases";
import { changedCheckout, World } from "./world";

const failing = async (world: World) => {
  const verdicts = Object.entries(await world.verdicts());
  return verdicts.filter(([, verdict]) => verdict === "fails").map(([id]) => id);
};

describe("controls", () => {
  for (const [control, what, change] of cases) {
    it(`${control} alone fails: ${what}`, async () => {
      const world = new World();
      change(world);
      expect(await failing(world)).to.deep.equal([control]);
    });
  }

  for (const [control, what, changed] of files) {
    it(`${control} alone fails: ${what}`, async () => {
      const { root, remove } = changedCheckout(changed);
      try {
        const world = new World();
        world.root = root;
        expect(await failing(world)).to.deep.equal([control]);
      } finally {
        remove();
      }
    });
  }

  it("of images fail together where an image is from elsewhere by a tag that moves", async () => {
    const world = new World();
    container(world).image = "evil.example/inventory:latest";
    expect(await failing(world)).to.deep.equal([
      "images-are-those-of-the-state",
      "images-name-a-build",
      "images-come-from-known-registries",
    ]);
  });

  it("have each failed in one of these cases", () => {
    const tried = new Set([...cases, ...files].map(([control]) => control));
    const others = ["images-come-from-known-registries"];
    const missing = Object.values(controls)
      .flat()
      .filter(({ id }) => !tried.has(id) && !others.includes(id))
      .map(({ id }) => id);
    expect(missing).to.deep.equal(["builds-hold-no-secret"]);
  });

  it("of builds fails with a secret among the arguments, and is off where nothing is built", async () => {
    const world = new World();
    expect((await world.verdicts())["builds-hold-no-secret"]).to.equal("off");
    const build = (args: object) => ({ build: { args }, imageName: "localhost:5050/technova/inventory:1" });
    const type = "docker:index/image:Image";
    world.state.push({ type, object: build({ BASE_IMAGE: "python:3.11" }), path: [] });
    expect((await world.verdicts())["builds-hold-no-secret"]).to.equal("holds");
    world.state.push({ type, object: build({ API_TOKEN: "hunter2hunter2" }), path: [] });
    expect(await failing(world)).to.deep.equal(["builds-hold-no-secret"]);
  });

  it("excuse a Pod by the exception of the workload that made it, and no other", async () => {
    const world = new World();
    const [first] = world.exceptions ?? [];
    securityContext(world).readOnlyRootFilesystem = false;
    const excused = { ...(first as NonNullable<typeof first>), policy: "read-only-root-file-system" };
    const verdict = async (resource: string) => {
      world.exceptions = [...(first ? [first] : []), { ...excused, resource }];
      return (await world.verdicts())["file-systems-are-read-only"];
    };
    expect(await verdict("Deployment inventory/web")).to.equal("excepted");
    expect(await verdict("urn:pulumi:production::*::web")).to.equal("excepted");
    expect(await verdict("Deployment inventory/other")).to.equal("fails");
    world.today = "2027-04-01";
    expect(await verdict("Deployment inventory/web")).to.equal("fails");
  });

  it("are off where the settings do not want them", async () => {
    const world = new World();
    world.settings = {
      "technova:cluster": { appArmor: false, admission: { action: "audit" } },
      "technova:falco": { enabled: false },
    };
    world.state = world.state.filter(({ type }) => !type.startsWith("github:"));
    const verdicts = await world.verdicts();
    const off = Object.entries(verdicts).filter(([, verdict]) => verdict === "off");
    expect(off.map(([id]) => id)).to.include.members([
      "confined-by-the-kernel",
      "admission-denies",
      "behaviour-is-watched",
      "events-are-received",
      "audit-log-arrives",
      "secrets-are-sealed",
      "changes-are-reviewed",
      "pushes-are-scanned",
      "owners-review-code",
    ]);
  });

  it("do not hold where GitHub does not say whom its rules exempt", async () => {
    const hidden: readonly ((github: Record<string, unknown>) => unknown)[] = [
      (github) => (github["/rulesets"] = []),
      (github) => delete github["/rulesets/2"],
      (github) => (github["/rulesets/2"] = { id: 2, name: "develop" }),
      (github) => delete (github["/environments/production"] as Record<string, unknown>).can_admins_bypass,
      (github) => delete github["/environments/production"],
    ];
    for (const hide of hidden) {
      const world = new World();
      hide(world.github);
      expect((await world.verdicts())["nobody-is-exempt"], String(hide)).to.equal("unknown");
    }
  });

  it("of admission hold beside a binding that somebody added, and by one that names all resources", async () => {
    const world = new World();
    const binding = world.find("ValidatingAdmissionPolicyBinding", "technova-images") as { spec: object };
    const added = world.live.find(({ object }) => object === binding);
    const validationActions = ["Audit"];
    const spec = { policyName: "technova-images", validationActions };
    if (added) world.live.push({ ...added, object: { ...binding, metadata: { name: "added" }, spec } });
    const matchResources = { matchPolicy: "Equivalent", namespaceSelector: {}, objectSelector: {} };
    Object.assign(binding.spec, { matchResources });
    expect((await world.verdicts())["admission-denies"]).to.equal("holds");
  });

  it("of Pods, accounts and signatures do not hold where there is none", async () => {
    const world = new World();
    world.live = world.live.filter(({ object: { kind } }) => kind !== "Pod" && kind !== "ServiceAccount");
    world.remove("Namespace", "inventory", world.state);
    const verdicts = await world.verdicts();
    const unknown = Object.keys(verdicts).filter((id) => verdicts[id] === "unknown");
    expect(unknown).to.deep.equal([
      "pods-are-not-root",
      "system-calls-are-filtered",
      "no-capabilities",
      "pods-stay-off-their-node",
      "file-systems-are-read-only",
      "resources-are-limited",
      "confined-by-the-kernel",
      "images-are-those-of-the-state",
      "images-name-a-build",
      "images-come-from-known-registries",
      "images-are-signed",
      "accounts-have-their-rights-alone",
      "tokens-are-asked-for",
    ]);
  });

  it("of the state do not hold where it has nothing that a policy judges", async () => {
    const world = new World();
    world.state = [{ type: "pulumi:providers:kubernetes", object: {}, title: "cluster", path: [] }];
    const verdicts = await world.verdicts();
    for (const id of ["no-credentials-in-plain-places", "rights-are-small", "images-are-signed"])
      expect(verdicts[id], id).to.equal("unknown");
  });

  it("hold nothing of a stack that was never deployed", async () => {
    const world = new World();
    world.state = [];
    const judged = await world.judged();
    const container = judged.filter(({ layer }) => layer === "container");
    expect(container.map(({ verdict }) => verdict)).not.to.include("fails");
    const namespaces = judged.find(({ control }) => control.id === "namespaces-hold-a-standard");
    expect(namespaces?.verdict).to.equal("unknown");
    expect(namespaces?.evidence).to.contain("is not deployed");
  });
});
