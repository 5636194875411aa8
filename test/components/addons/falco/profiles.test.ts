import { expect } from "chai";
import { profiles, scratch } from "../../../../components/addons/falco/rules/profiles";
import { receiverIdentity } from "../../../../components/addons/falco/receiver";
import { selectorLabels } from "../../../../components/labels";
import type { JsonObject } from "../../../support/mocks";
import { configurations, networkOf } from "../../../support/network";
import { get, list, text, type Workload } from "../../../support/workloads";

interface Container {
  readonly name: string;
  readonly workload: Workload;
  readonly spec: JsonObject;
}

const guarded = new Set(profiles.map(({ namespace }) => namespace));

function containersOf(workloads: readonly Workload[]): Container[] {
  return workloads
    .filter(({ namespace }) => guarded.has(namespace))
    .flatMap((workload) =>
      [...list(workload.spec.initContainers), ...list(workload.spec.containers)].map((container) => ({
        name: text(get(container, "name")) ?? "",
        workload,
        spec: container as JsonObject,
      })),
    );
}

const profileOf = ({ name, workload }: Container) =>
  profiles.find(({ namespace, containers }) => namespace === workload.namespace && containers.includes(name));

/** Folders of a container that are mounted from volumes of these kinds. */
function mounts({ workload, spec }: Container, isMeant: (volume: JsonObject, mount: JsonObject) => boolean) {
  const claims = new Set(["data"]);
  return list(spec.volumeMounts).flatMap((each) => {
    const mount = each as JsonObject;
    const volume = list(workload.spec.volumes).find((one) => get(one, "name") === mount.name);
    if (volume === undefined && !claims.has(String(mount.name))) throw new Error(`${mount.name}?`);
    return isMeant((volume ?? {}) as JsonObject, mount) ? [String(mount.mountPath)] : [];
  });
}

const below = (folders: readonly string[], path: string) =>
  folders.some((folder) => path === folder || path.startsWith(`${folder}/`));

describe("the profiles of the platform's containers", () => {
  for (const [name, config] of Object.entries(configurations)) {
    it(`are those of ${name}`, async () => {
      const containers = containersOf((await networkOf(config())).workloads);
      expect(containers).not.to.be.empty;
      for (const container of containers) {
        const { workload, spec } = container;
        const who = `${workload.name}, container ${container.name}`;
        const profile = profileOf(container);
        if (profile === undefined) throw new Error(`${who}: there is no profile for it`);
        const writable = mounts(container, (_, mount) => mount.readOnly !== true);
        const { writes = [], secrets = [], scripts = [] } = profile;
        expect(
          writable.filter((path) => !below([...scratch, ...writes], path)),
          `${who}: may be written`,
        ).to.deep.equal([]);
        const secret = mounts(
          container,
          (volume) =>
            "secret" in volume ||
            list(get(volume, "projected", "sources")).some((source) => get(source, "secret") !== null),
        );
        expect(
          secret.filter((path) => !below(secrets, path)),
          `${who}: has Secrets`,
        ).to.deep.equal([]);
        expect(profile.token ?? false, `${who}: its token`).to.equal(
          workload.spec.automountServiceAccountToken === true,
        );
        const paths = list(workload.spec.volumes).filter((volume) => get(volume, "hostPath") !== null);
        expect(profile.node ?? false, `${who}: looks into its node`).to.equal(paths.length > 0);
        const [program, script] = list(spec.command).map(String);
        if (program === "python3") expect(scripts, who).to.include(script);
        if (program === "inventory") expect(scripts, who).to.include("/opt/venv/bin/inventory");
      }
    });
  }

  it("have nothing that no container of any stack has", async () => {
    const all: Container[] = [];
    for (const config of Object.values(configurations))
      all.push(...containersOf((await networkOf(config())).workloads));
    const seen = new Set(all.map(({ name, workload }) => `${workload.namespace}/${name}`));
    const idle = profiles.flatMap(({ namespace, containers }) =>
      containers.map((container) => `${namespace}/${container}`).filter((each) => !seen.has(each)),
    );
    expect(idle).to.deep.equal([]);
    const receivers = all.filter(({ workload }) =>
      Object.entries(selectorLabels(receiverIdentity)).every(
        ([key, value]) => workload.labels[key] === value,
      ),
    );
    expect(receivers).not.to.be.empty;
  });
});
