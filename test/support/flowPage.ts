import { format } from "prettier";
import { entriesOf, type FlowTable } from "../../components/cluster/flowTable";
import { isPods, type Flow, type Peer } from "../../components/cluster/flows";

const head = `# Allowed flows

Written by \`npm run golden\` from the one table that the network policies are made from: [\`flowTable.ts\`](flowTable.ts). All other traffic of the platform's namespaces is refused, in both directions; tests compute from the policies of every stack that it is, and that no entry is unused. A node always reaches its own Pods, which is how probes come in. Where an end is _not guarded_, its namespace belongs to the cluster, and only the other end has a policy.
`;

/** `components/cluster/flows.md`: the tables of all stacks as one, and the picture of one of them. */
export async function flowPage(
  tables: Readonly<Record<string, FlowTable>>,
  pictured: string,
): Promise<string> {
  const stacks = Object.keys(tables);
  const rows = new Map<string, { flow: Flow; stacks: string[] }>();
  for (const [stack, table] of Object.entries(tables)) {
    for (const flow of entriesOf(table)) {
      const key = JSON.stringify(flow);
      const row = rows.get(key) ?? { flow, stacks: [] };
      rows.set(key, { flow, stacks: [...row.stacks, stack] });
    }
  }
  const sorted = [...rows.values()].sort((a, b) => a.flow.name.localeCompare(b.flow.name));
  const lines = sorted.map(({ flow, stacks: where }) =>
    [
      flow.name,
      described(flow, "from"),
      described(flow, "to"),
      portsOf(flow).join(", "),
      flow.why,
      where.length === stacks.length ? "all" : where.join(", "),
    ].join(" | "),
  );
  const [table] = Object.entries(tables).flatMap(([stack, each]) => (stack === pictured ? [each] : []));
  if (table === undefined) throw new Error(`there is no stack ${pictured}`);
  const page = [
    head,
    `## Picture\n\nOf the stack \`${pictured}\`.\n`,
    `\`\`\`mermaid\n${picture(entriesOf(table))}\n\`\`\`\n`,
    "## Table\n",
    ["name | from | to | ports | why | stacks", "--- | --- | --- | --- | --- | ---", ...lines]
      .map((line) => `| ${line} |`)
      .join("\n"),
  ].join("\n");
  return format(page, { parser: "markdown", printWidth: 110 });
}

/** A Mermaid flowchart: the Pods by their namespaces, and who is outside of them. */
export function picture(flows: readonly Flow[]): string {
  const peers = new Map(flows.flatMap(({ from, to }) => [from, to]).map((peer) => [idOf(peer), peer]));
  const namespaces = new Map<string, string[]>();
  const outside: string[] = [];
  for (const [id, peer] of peers) {
    if (!isPods(peer)) outside.push(`  ${id}(["${peer.who}"])`);
    else {
      const nodes = namespaces.get(peer.namespace) ?? [];
      namespaces.set(peer.namespace, [...nodes, `    ${id}["${nameOf(peer)}"]`]);
    }
  }
  const edges = new Map<string, string[]>();
  for (const flow of flows) {
    const ends = [idOf(flow.from), idOf(flow.to)].join(" ");
    edges.set(ends, [...(edges.get(ends) ?? []), ...portsOf(flow)]);
  }
  return [
    "flowchart LR",
    ...outside,
    ...[...namespaces].flatMap(([name, nodes]) => [
      `  subgraph in_${slug(name)}["${name}"]`,
      ...nodes,
      "  end",
    ]),
    ...[...edges].map(([ends, ports]) => `  ${ends.replace(" ", ` -->|"${ports.join(", ")}"| `)}`),
  ].join("\n");
}

function described(flow: Flow, end: "from" | "to"): string {
  const peer = flow[end];
  if (!isPods(peer)) return `${peer.who}: ${peer.cidrs.map((cidr) => `\`${cidr}\``).join(", ")}`;
  const pods = `${nameOf(peer)} in \`${peer.namespace}\``;
  return flow.unguarded === end ? `${pods} (not guarded)` : pods;
}

function portsOf({ ports }: Flow): string[] {
  return ports.map(({ port, protocol }) => (protocol === "UDP" ? `${port}/UDP` : String(port)));
}

/** The part that Pods are of an application which has its namespace for itself, else the application. */
function nameOf(peer: Peer): string {
  if (!isPods(peer)) return peer.who;
  const { labels, namespace } = peer;
  const name = labels["app.kubernetes.io/name"];
  const part = labels["app.kubernetes.io/component"];
  if (name === namespace && part !== undefined) return part;
  return name ?? Object.values(labels)[0] ?? "all Pods";
}

function idOf(peer: Peer): string {
  return slug(isPods(peer) ? `${peer.namespace} ${nameOf(peer)}` : peer.who);
}

const slug = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, "_");
