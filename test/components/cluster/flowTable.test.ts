import { expect } from "chai";
import { entriesOf, problemsOf } from "../../../components/cluster/flowTable";
import type { Flow, Peer } from "../../../components/cluster/flows";
import { configurations, networkOf } from "../../support/network";
import type { Workload } from "../../support/workloads";

describe("the table of allowed flows", () => {
  for (const [name, config] of Object.entries(configurations)) {
    it(`of ${name} has no entry that nothing uses`, async () => {
      const { table, workloads } = await networkOf(config());
      const unused = entriesOf(table).flatMap((flow) => uses(flow, workloads));
      expect(unused).to.deep.equal([]);
    });
  }

  const api = { namespace: "inventory", labels: { app: "api" } };
  const proxy = { namespace: "gateway", labels: { app: "proxy" } };
  const entry: Flow = {
    name: "a",
    from: proxy,
    to: api,
    ports: [{ port: 80 }, { port: 81 }],
    why: "Requests.",
  };
  const told = (...flows: readonly Partial<Flow>[]) =>
    problemsOf(
      flows.map((flow) => ({ ...entry, ...flow })),
      ["inventory", "gateway"],
    ).join("\n");

  it("takes entries that differ in an end, a port or a protocol", () => {
    const udp = [{ port: 80, protocol: "UDP" as const }];
    expect(
      told(
        {},
        { name: "b", from: api, to: proxy },
        { name: "c", ports: [{ port: 82 }] },
        { name: "d", ports: udp },
      ),
    ).to.equal("");
  });

  it("refuses two entries that say the same, in part or by name", () => {
    const reordered = { namespace: "inventory", labels: { ...api.labels } };
    expect(told({}, { name: "b", to: reordered, ports: [{ port: 81, protocol: "TCP" }] })).to.equal(
      "  b: says what a says",
    );
    expect(told({}, { to: proxy, from: api })).to.equal("  a: says what a says");
  });

  it("refuses an entry that would allow everything, or that no policy could bring about", () => {
    const addresses = { cidrs: ["10.0.0.0/8"], who: "somebody" };
    const cases: readonly (readonly [Partial<Flow>, RegExp])[] = [
      [{ ports: [] }, /has no ports, which would allow every one/],
      [{ why: "" }, /does not say why/],
      [{ from: { ...addresses, cidrs: [] } }, /from has no address ranges, which would allow every one/],
      [{ from: addresses, to: addresses }, /between addresses/],
      [{ from: addresses, unguarded: "from" }, /from is an address, of which nothing can be guarded/],
      [{ unguarded: "to" }, /to is guarded, and so needs its policy/],
      [
        { to: { namespace: "elsewhere", labels: {} } },
        /to is in elsewhere, which is no namespace of the stack/,
      ],
    ];
    for (const [change, problem] of cases) expect(told(change)).to.match(problem);
    expect(told({ to: { namespace: "elsewhere", labels: {} }, unguarded: "to" })).to.equal("");
  });
});

/** What of an entry is there for nothing. */
function uses(flow: Flow, workloads: readonly Workload[]): string[] {
  const { name, from, to, ports, unguarded } = flow;
  const unused: string[] = [];
  for (const [end, peer] of Object.entries({ from, to })) {
    if ("cidrs" in peer || unguarded === end) continue;
    if (selected(peer, workloads).length === 0) unused.push(`${name}: nothing is its ${end}`);
  }
  if ("cidrs" in to || unguarded === "to") return unused;
  const listening = selected(to, workloads).flatMap((workload) => workload.ports);
  for (const { port, protocol = "TCP" } of ports) {
    if (!listening.some((each) => each.port === port && each.protocol === protocol))
      unused.push(`${name}: nothing listens on ${port}/${protocol}`);
  }
  return unused;
}

function selected(peer: Peer, workloads: readonly Workload[]): Workload[] {
  if ("cidrs" in peer) return [];
  return workloads.filter(
    ({ namespace, labels }) =>
      namespace === peer.namespace &&
      Object.entries(peer.labels).every(([key, value]) => labels[key] === value),
  );
}
