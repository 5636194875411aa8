import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { entriesOf, flowTable } from "../../../components/cluster/flowTable";
import { isPods, type Flow, type Pods } from "../../../components/cluster/flows";
import { network, ports } from "../../../tools/cluster/network";
import { isAt } from "../../support/network";
import type { Endpoint } from "../../support/networkModel";
import { load } from "../../support/settings";
import { appliedSettings } from "../support/settings";
import { eventually } from "../delivery/platform";
import { kubectl } from "../support/cluster";
import { checkout } from "../support/command";
import { query } from "../support/metrics";
import { platform } from "./access";
import { allowed, attempts, endpointOf, guardedEnds, runningTargets, tcp, type Target } from "./connections";
import {
  isReady,
  openToTheWorld,
  podsOf,
  reached,
  removeProbes,
  running,
  startProbes,
  type Probe,
  type RunningPod,
} from "./probes";

/** What a Pod's address and labels mean is known to the node some moments after they are there. */
const settlingSeconds = 20;

const node: Endpoint = { name: "node", address: network.nodeAddress };

const stranger = (namespace: string): Probe => ({
  name: "stranger",
  namespace,
  labels: { app: "stranger" },
});

/**
 * Pods with the labels of each end of the table, strangers beside them, and a double of the gateway in a namespace
 * that nobody guards try every port of each other, of the platform's own Pods, of DNS, of the API server, of the node
 * and of somebody outside: what the table says comes about, and nothing else.
 */
export async function trafficIsWhatTheTableSays(): Promise<void> {
  const entries = entriesOf(flowTable(await load(appliedSettings("local"), [])));
  const listening = [...new Set(entries.flatMap((entry) => entry.ports.map(({ port }) => port)))];
  const [outside, early] = await Promise.all([listener(), listener()]);
  try {
    const own = (await podsOf("-A")).filter(isReady).map(running);
    const probes = await startProbes(probesFor(entries, early), listening);
    const targets: Target[] = [
      ...probes.map((probe) => ({ endpoint: endpointOf(probe), ports: tcp(...listening) })),
      ...runningTargets(entries, own),
      ...runningTargets(entries, own.filter(isDns).slice(0, 1).map(asService)),
      { endpoint: { name: "API server", address: network.apiService }, ports: tcp(443) },
      { endpoint: node, ports: tcp(ports.api, ports.kubelet) },
      { endpoint: { name: "outside", address: network.hostAddress }, ports: tcp(outside.port) },
    ];
    // Everybody listens, and the node reaches all of its Pods, which is how the kubelet's probes come in.
    const all = attempts(node, targets).map(({ name }) => name);
    await settled("connections of the node", all, () => tried("node", node, targets));
    const expected = probes.flatMap((probe) => allowed(entries, endpointOf(probe), targets));
    await settled("connections", expected, async () => {
      const found = probes.map((probe) => tried(probe, endpointOf(probe), targets));
      return (await Promise.all(found)).flat();
    });
    expect(early.callers, "connections of Pods whose policies were not known yet").to.deep.equal([]);
    await labelsDecide(probes, entries);
    await nodePortsLetNobodyIn(listening[0] ?? 0);
  } finally {
    outside.close();
    early.close();
    await removeProbes();
  }
}

/** The engine's own view of the Pods stands still while it writes its rules. */
export async function lateComersWait(): Promise<void> {
  const options = {
    cwd: join(checkout, "tools/cluster/go/network-policies"),
    env: { ...process.env, GOWORK: "off" },
  };
  await promisify(execFile)("go", ["test", "-mod=readonly", "./..."], options);
}

/** Everything that runs is ready, has its use measured, and is read by Prometheus. */
export async function platformWorks(): Promise<void> {
  const pods = (await podsOf("-A")).filter(({ status }) => status.phase !== "Succeeded");
  const unready = pods.filter((pod) => !isReady(pod)).map(({ metadata }) => metadata.name);
  expect(unready, "Pods that are not ready").to.deep.equal([]);
  const usage = await kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/pods");
  for (const namespace of platform) expect(usage).to.contain(`"namespace":"${namespace}"`);
  const up = await query("up");
  expect(up.filter(({ value }) => value !== 1)).to.deep.equal([]);
  expect(up.map(({ metric }) => metric.namespace)).to.include.members(["gateway", "delivery", "inventory"]);
}

/** Somebody outside of the cluster who notes who comes. */
async function listener() {
  const callers: string[] = [];
  const server = createServer((socket) => {
    const number = callers.push("somebody who does not say") - 1;
    socket.once("data", (said) => (callers[number] = said.toString("utf8")));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(3000, () => socket.destroy());
    socket.on("end", () => socket.end());
  }).listen(0, network.hostAddress);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, callers, close: () => server.close() };
}

function probesFor(entries: readonly Flow[], early: { port: number }): Probe[] {
  const sources = guardedEnds(entries, ["from"]).map(({ namespace, labels }: Pods) => ({
    name: `probe-${Object.values(labels).at(-1) ?? "all"}`,
    namespace,
    labels,
    calls: `${network.hostAddress}:${early.port}`,
  }));
  const gateway = sources.find(({ namespace }) => namespace === "gateway");
  if (gateway === undefined) throw new Error("the table has no flow from the gateway");
  const double = { name: "double", namespace: "default", labels: gateway.labels };
  return [...sources, ...[...platform, "default"].map(stranger), double];
}

const isDns = ({ labels }: RunningPod) => labels["k8s-app"] === "kube-dns";
const asService = (pod: RunningPod) => ({ ...pod, name: "service", address: network.dnsService });

/** A stranger that gets somebody's labels gets his rights, and loses them again. */
async function labelsDecide(probes: readonly RunningPod[], entries: readonly Flow[]): Promise<void> {
  const flow = entries.find(({ name }) => name === "smoke-test-to-api");
  if (flow === undefined || !isPods(flow.from)) throw new Error("the table has no smoke test");
  const { from, to } = flow;
  const api = probes.map(endpointOf).filter((endpoint) => isAt(to, endpoint, true));
  const targets = api.map((endpoint) => ({ endpoint, ports: tcp(...flow.ports.map(({ port }) => port)) }));
  const changing = stranger(from.namespace);
  const endpoint = endpointOf({ ...changing, address: "" });
  const label = (...changes: string[]) =>
    kubectl("label", "pod", changing.name, "-n", changing.namespace, ...changes);
  const found = () => tried(changing, endpoint, targets);
  const all = attempts(endpoint, targets).map(({ name }) => name);
  await label(...Object.entries(from.labels).map((pair) => pair.join("=")));
  await settled("with the labels of the smoke test", all, found);
  await label(...Object.keys(from.labels).map((key) => `${key}-`));
  await settled("without them", [], found);
}

/** A port of the node that leads to a guarded Pod lets nobody in; one that leads to another does. */
async function nodePortsLetNobodyIn(port: number): Promise<void> {
  const nodePort = (namespace: string) => openToTheWorld(stranger(namespace), port);
  const [guarded, open] = await Promise.all([nodePort("inventory"), nodePort("default")]);
  await eventually("a port that leads to somebody unguarded", settlingSeconds, () => answers(open), Boolean);
  expect(await answers(guarded), "a port that leads to a guarded Pod").to.equal(false);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: 3000 });
    const end = (connected: boolean) => {
      socket.destroy();
      resolve(connected);
    };
    socket.on("connect", () => end(true));
    socket.on("timeout", () => end(false));
    socket.on("error", () => end(false));
  });
}

/** Names of the attempts that came about. */
async function tried(from: Probe | "node", as: Endpoint, targets: readonly Target[]): Promise<string[]> {
  const all = attempts(as, targets);
  const results = await reached(
    from,
    all.map(({ place }) => place),
  );
  expect(results).to.have.length(all.length);
  return all.filter((_, index) => results[index]).map(({ name }) => name);
}

async function settled(
  what: string,
  expected: readonly string[],
  look: () => Promise<string[]>,
): Promise<void> {
  const difference = (a: readonly string[], b: readonly string[]) => a.filter((each) => !b.includes(each));
  await eventually(
    what,
    settlingSeconds,
    async () => {
      const found = await look();
      return { missing: difference(expected, found), tooMany: difference(found, expected) };
    },
    ({ missing, tooMany }) => missing.length + tooMany.length === 0,
  );
}
