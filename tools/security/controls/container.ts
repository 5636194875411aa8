import { objectsOf } from "../../../policy/frame/objects";
import { containerLists, containersOf, podsOf } from "../../../policy/frame/workloads";
import { field, list, nameOf, number, text, type KubeObject } from "../../plugins/kubernetes/object";
import { placeOf } from "../cluster";
import { answer, atLeastOne, counted, off, type Answer, type Control } from "../control";
import type { Evidence } from "../evidence";

/** What runs, and what it may do where it runs. */
export const containerControls: readonly Control[] = [
  {
    id: "pods-are-not-root",
    title: "No container runs as root",
    against: "Root in a container, which is root on the node once anything lets it out.",
    where: "components/security.ts; policies and admission policies no-root-containers, no-root-user",
    ask: (evidence) => ofPods(evidence, "no-root-containers", "no-root-user", "no-root-groups"),
  },
  {
    id: "system-calls-are-filtered",
    title: "Every container has a seccomp profile",
    against: "System calls that no service needs, each a way into the kernel.",
    where: "components/security.ts; policies and admission policies seccomp-profile, no-unconfined-seccomp",
    ask: (evidence) => ofPods(evidence, "seccomp-profile", "no-unconfined-seccomp"),
  },
  {
    id: "no-capabilities",
    title: "No container has capabilities, or can gain rights",
    against: "Rights of root in small coin, and programs that give more rights to who starts them.",
    where:
      "components/security.ts; policies and admission policies drop-all-capabilities, no-privilege-escalation",
    ask: (evidence) =>
      ofPods(evidence, "drop-all-capabilities", "no-added-capabilities", "no-privilege-escalation"),
  },
  {
    id: "pods-stay-off-their-node",
    title: "No Pod reaches into its node",
    against: "A way from a container to the node, and from there to all that runs on it.",
    where: "policies and admission policies of the Pod Security Standard baseline",
    ask: (evidence) =>
      ofPods(
        evidence,
        "no-privileged-containers",
        "no-host-namespaces",
        "no-host-paths",
        "no-host-ports",
        "no-host-processes",
      ),
  },
  {
    id: "file-systems-are-read-only",
    title: "No container can change its own programs",
    against: "A tool that somebody drops into a container, or a binary that he replaces.",
    where: "components/security.ts; policy and admission policy read-only-root-file-system",
    ask: (evidence) => ofPods(evidence, "read-only-root-file-system"),
  },
  {
    id: "resources-are-limited",
    title: "Every container has requests and limits",
    against: "One Pod that takes the node's memory from all others.",
    where: "components/security.ts; policy requests-and-limits; LimitRange of each namespace",
    ask: (evidence) => ofPods(evidence, "requests-and-limits"),
  },
  {
    id: "confined-by-the-kernel",
    title: "Every container is confined by AppArmor",
    against: "A file or a mount that the runtime let through.",
    where: "technova:cluster.appArmor; policy apparmor-profile",
    ask: confined,
  },
  {
    id: "images-are-those-of-the-state",
    title: "What runs is what was deployed",
    against: "An image that somebody has put in the place of the tested one.",
    where: "the state of the stack",
    ask: imagesOfState,
  },
  {
    id: "images-name-a-build",
    title: "Images name a version, the application's its build",
    against: "A tag that stands for other code tomorrow.",
    where: "policies no-mutable-image-tags, application-image-by-digest",
    ask: (evidence) => ofPods(evidence, "no-mutable-image-tags", "application-image-by-digest"),
  },
  {
    id: "images-come-from-known-registries",
    title: "Images come from the registries that the stack names",
    against: "An image that anybody has published under a name that looks right.",
    where: "policy and admission policy allowed-registries, policy/config/<stack>.json",
    ask(evidence) {
      const { registries } = evidence.pack.settingsOf("allowed-registries") as { registries: unknown[] };
      if (registries.length === 0)
        return answer(`policy/config/${evidence.stack}.json`, ["it names no registry, so all are allowed"]);
      return ofPods(evidence, "allowed-registries");
    },
  },
  {
    id: "images-are-signed",
    title: "The cluster verifies who has built the application's image",
    against: "An image by somebody who may push to the registry, and is not the release workflow.",
    where: "policy verified-signatures",
    ask(evidence) {
      const { namespaces } = evidence.pack.settingsOf("verified-signatures") as { namespaces: string[] };
      const own = evidence.objects("Namespace").filter((each) => namespaces.includes(nameOf(each)));
      atLeastOne(own, `Namespace ${namespaces.join(" or ")} in the state`);
      return evidence.pack.onState("verified-signatures");
    },
  },
  {
    id: "builds-hold-no-secret",
    title: "No image is built with a secret, or on a base that moves",
    against: "A password in an image's history; a base that changes between two builds of the same source.",
    where: "policies no-secrets-in-build-arguments, base-image-versions",
    ask: (evidence) =>
      evidence.inputs("docker:index/image:Image").length === 0
        ? off(`${evidence.stack} builds no image`)
        : evidence.pack.onState("no-secrets-in-build-arguments", "base-image-versions"),
  },
  {
    id: "behaviour-is-watched",
    title: "Falco watches every node by the rules of the state",
    against: "A shell, a program or a connection in a container that no rule above keeps out.",
    where: "technova:falco.sensor; components/addons/falco/rules",
    ask: watched,
  },
  {
    id: "events-are-received",
    title: "Falco's events are received",
    against: "An attack that was seen, and that nobody was told of.",
    where: "technova:falco.receiver; components/addons/falco/receiver.ts",
    async ask(evidence) {
      if (!uses(evidence, "falco")) return off(`technova:falco is not set in Pulumi.${evidence.stack}.yaml`);
      evidence.namespaces();
      const live = await evidence.cluster.list("Deployment", "falco");
      const receivers = live.filter((each) => labelOf(each, "component") === "event-receiver");
      if (receivers.length === 0) return answer("Deployments in falco", ["the receiver is not there"]);
      const wrong = receivers.flatMap((each) => {
        const ready = number(each, "status", "readyReplicas") ?? 0;
        // None ready of none wanted receives nothing.
        const wanted = Math.max(1, number(each, "spec", "replicas") ?? 1);
        return ready >= wanted ? [] : [`Deployment ${placeOf(each)}: ${ready} of ${wanted} Pods are ready`];
      });
      return answer(receivers.map((each) => `Deployment ${placeOf(each)}`).join(", "), wrong);
    },
  },
];

/** Whether a part is in the stack: set, and not switched off. */
function uses(evidence: Evidence, key: string, ...path: readonly string[]): boolean {
  return evidence.setting(key, ...path) !== undefined && evidence.setting(key, ...path, "enabled") !== false;
}

async function podsOfStack(evidence: Evidence): Promise<readonly KubeObject[]> {
  return atLeastOne(await evidence.cluster.pods(evidence.namespaces()), "running Pod");
}

async function ofPods(evidence: Evidence, ...policies: readonly string[]): Promise<Answer> {
  const pods = await podsOfStack(evidence);
  return evidence.pack.onLive(pods, counted(pods.length, "running Pod"), ...policies);
}

async function confined(evidence: Evidence): Promise<Answer> {
  if (evidence.setting("cluster", "appArmor") === false)
    return off(`technova:cluster.appArmor is false in Pulumi.${evidence.stack}.yaml`);
  const pods = await podsOfStack(evidence);
  const judged = evidence.pack.onLive(pods, counted(pods.length, "running Pod"), "apparmor-profile");
  const unsaid = pods.flatMap((pod) => {
    const ofPod = text(pod, "spec", "securityContext", "appArmorProfile", "type");
    return containers(pod)
      .filter((each) => (text(each, "securityContext", "appArmorProfile", "type") || ofPod) === "")
      .map((each) => `Pod ${placeOf(pod)}: ${text(each, "name")} names no profile`);
  });
  if (unsaid.length === 0) return judged;
  return { ...judged, verdict: "fails", details: [...unsaid, ...judged.details] };
}

/** Ephemeral containers too: they are how somebody gets a program of his own into a Pod that runs. */
const containers = (pod: KubeObject) => containerLists.flatMap((of) => list(pod, "spec", of));
const statusLists = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];

/** A Pod that was made by hand, or a controller that was changed, has an image that the state does not. */
async function imagesOfState(evidence: Evidence): Promise<Answer> {
  const pods = await podsOfStack(evidence);
  const known = new Set(
    evidence.sources.state.resources
      .flatMap(objectsOf)
      .flatMap(podsOf)
      .flatMap(containersOf)
      .map(({ field: container }) => container.at("image").value),
  );
  const wrong = pods.flatMap((pod) => {
    const strange = containers(pod)
      .map((each) => text(each, "image"))
      .filter((image) => !known.has(image))
      .map((image) => `Pod ${placeOf(pod)}: ${image} is not in the state`);
    const statuses = statusLists.flatMap((of) => list(pod, "status", of));
    const asked = new Map(containers(pod).map((each) => [text(each, "name"), text(each, "image")]));
    const other = statuses.flatMap((status) => {
      const [, wanted] = (asked.get(text(status, "name")) ?? "").split("@");
      const [, runs] = text(status, "imageID").split("@");
      const same = wanted === undefined || runs === undefined || wanted === runs;
      return same ? [] : [`Pod ${placeOf(pod)}: ${text(status, "name")} runs ${runs}, not ${wanted}`];
    });
    return [...strange, ...other];
  });
  return answer(
    `${counted(pods.length, "running Pod")}, ${counted(known.size, "image")} in the state`,
    wrong,
  );
}

/** Falco ends when it cannot load its rules, so a sensor that is ready has loaded those that are mounted. */
async function watched(evidence: Evidence): Promise<Answer> {
  if (!uses(evidence, "falco") || evidence.setting("falco", "sensor", "enabled") === false)
    return off(`technova:falco.sensor is not in Pulumi.${evidence.stack}.yaml`);
  evidence.namespaces();
  const sensors = (await evidence.cluster.list("DaemonSet", "falco")).filter(
    (each) => text(each, "metadata", "name") === "falco",
  );
  const wanted = evidence.objects("DaemonSet").find((each) => placeOf(each) === "falco/falco");
  if (wanted === undefined || sensors.length === 0)
    return answer("DaemonSet falco/falco", ["the sensor is not there"]);
  const wrong = sensors.flatMap((each) => {
    const nodes = number(each, "status", "desiredNumberScheduled") ?? 0;
    const ready = number(each, "status", "numberReady") ?? 0;
    return [
      ...(nodes > 0 && ready === nodes ? [] : [`it is ready on ${ready} of ${nodes} nodes`]),
      ...(same(rulesOf(each), rulesOf(wanted)) ? [] : ["it has other rules than the state's"]),
    ];
  });
  return answer("DaemonSet falco/falco, its status and the ConfigMaps that it mounts", wrong);
}

/** Names of the ConfigMaps that a workload mounts; they carry a sum of their content. */
function rulesOf(workload: KubeObject): readonly string[] {
  return list(workload, "spec", "template", "spec", "volumes")
    .map((volume) => text(volume, "configMap", "name"))
    .filter((name) => name !== "")
    .sort();
}

const same = (one: readonly string[], other: readonly string[]) => one.join() === other.join();

function labelOf(object: KubeObject, name: string): string {
  const labels = field(object, "metadata", "labels");
  return text(labels, `app.kubernetes.io/${name}`);
}
