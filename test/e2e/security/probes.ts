import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { containerSecurity, podSecurity } from "../../../components/security";
import { applicationUser } from "../../../components/delivery/workload";
import { nodeInit } from "../../../tools/cluster/node";
import { clusterPaths } from "../../../tools/cluster/paths";
import { kubectl } from "../support/cluster";

const program = readFileSync(join(__dirname, "probe.py"), "utf8");
const mark = "technova.io/probe";

/** A Pod that tries connections, under somebody's labels. */
export interface Probe {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** An address and port that it calls for some seconds from its first instant on. */
  readonly calls?: string;
}

/** A Pod of the cluster as it runs. */
export interface RunningPod extends Probe {
  readonly address: string;
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Record<string, string>;
  };
  readonly spec: {
    readonly hostNetwork?: boolean;
    readonly priorityClassName?: string;
    readonly containers: readonly { readonly image: string }[];
  };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export async function podsOf(...selection: string[]): Promise<readonly Pod[]> {
  const { items } = JSON.parse(await kubectl("get", "pods", ...selection, "-o", "json")) as { items: Pod[] };
  return items;
}

export const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;

export const running = ({ metadata: { name, namespace, labels = {} }, status }: Pod): RunningPod => ({
  name,
  namespace,
  labels,
  address: status.podIP ?? "",
});

/**
 * Starts probes that listen on `ports`, and answers when all of them run. They never become ready, so that no Service
 * sends anybody to one, whosever labels it has.
 */
export async function startProbes(probes: readonly Probe[], ports: readonly number[]): Promise<RunningPod[]> {
  const [model] = await podsOf("-n", "inventory", "-l", "app.kubernetes.io/component=api");
  if (model === undefined) throw new Error("no Pod of the application runs, whose image the probes take");
  const owner = await nodeAsOwner();
  await create(probes.map((probe) => manifest(probe, model, ports, owner)));
  const wait = ["wait", "pods", "-A", "-l", mark, "--for=jsonpath={.status.phase}=Running", "--timeout=60s"];
  await kubectl(...wait);
  const started = (await podsOf("-A", "-l", mark)).map(running);
  return probes.map((probe) => {
    const found = started.find(({ name, namespace }) => name === probe.name && namespace === probe.namespace);
    if (found === undefined) throw new Error(`${probe.namespace}/${probe.name} does not run`);
    return { ...probe, address: found.address };
  });
}

export async function removeProbes(): Promise<void> {
  await kubectl("delete", "pods,services", "-A", "-l", mark, "--grace-period=1");
}

/** Opens a probe to the world; returns the port on which the node should answer for it. */
export async function openToTheWorld({ name, namespace, labels }: Probe, port: number): Promise<number> {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: { [mark]: "" } },
    spec: { type: "NodePort", selector: labels, publishNotReadyAddresses: true, ports: [{ port }] },
  };
  await create([service]);
  const path = "jsonpath={.spec.ports[0].nodePort}";
  return Number(await kubectl("get", "service", name, "-n", namespace, "-o", path));
}

/** Which of the targets (`<address>:<port>/<protocol>`) somebody reaches: a probe, or the node itself. */
export async function reached(from: Probe | "node", targets: readonly string[]): Promise<boolean[]> {
  const command = ["-c", program, "connect", targets.join(",")];
  return JSON.parse(
    from === "node"
      ? await onNodeNetwork("python3", ...command)
      : await kubectl("exec", "-n", from.namespace, from.name, "--", "python", ...command),
  ) as boolean[];
}

async function onNodeNetwork(...command: string[]): Promise<string> {
  const init = nodeInit(clusterPaths());
  if (init === undefined) throw new Error("the cluster is not up");
  const { stdout } = await promisify(execFile)("nsenter", [`--net=/proc/${init.pid}/ns/net`, ...command]);
  return stdout;
}

/** Whose Pods they are: a DaemonSet takes in those that have its labels and belong to nobody, and removes them. */
async function nodeAsOwner(): Promise<object> {
  const path = "jsonpath={.items[0].metadata.name} {.items[0].metadata.uid}";
  const [name, uid] = (await kubectl("get", "nodes", "-o", path)).split(" ");
  return { apiVersion: "v1", kind: "Node", name, uid, controller: true };
}

function manifest(
  { name, namespace, labels, calls }: Probe,
  model: Pod,
  ports: readonly number[],
  owner: object,
): object {
  const { priorityClassName, containers } = model.spec;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { ...labels, [mark]: "" }, ownerReferences: [owner] },
    spec: {
      priorityClassName,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      // Nothing ever says that it holds.
      readinessGates: [{ conditionType: `${mark}-is-wanted` }],
      securityContext: podSecurity(applicationUser, { appArmor: false }),
      containers: [
        {
          name: "probe",
          image: containers[0]?.image,
          command: [
            "python",
            "-c",
            program,
            "listen",
            ports.join(","),
            ...(calls === undefined ? [] : [calls]),
          ],
          resources: {
            requests: { cpu: "10m", memory: "32Mi" },
            limits: { cpu: "500m", memory: "64Mi" },
          },
          securityContext: containerSecurity,
        },
      ],
    },
  };
}

async function create(objects: readonly object[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "traffic-"));
  try {
    const file = join(folder, "objects.json");
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    await kubectl("create", "-f", file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
