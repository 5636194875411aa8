import { expect } from "chai";
import { analysisSchema } from "../../../components/config/analysis";
import { questions } from "../../../components/delivery/analysis";
import type { JsonObject } from "../../support/mocks";
import { readQuery } from "../../support/promql";

describe("the questions of a release", () => {
  const identity = { name: "inventory", component: "api" };
  const asked = (changes: JsonObject = {}) => questions(identity, analysisSchema.parse(changes), "watching");

  it("ask for errors, latency, business, connections and restarts, each with its limit", () => {
    const limits = asked({ errorPercent: { limit: 2, timesStable: 4 } }).map(({ metric, limit }) => [
      metric,
      limit,
    ]);
    expect(Object.fromEntries(limits)).to.deep.equal({
      "error-percent": 2,
      "error-percent-times-stable": 4,
      "p95-milliseconds": 1000,
      "p95-milliseconds-times-stable": 3,
      "rejected-movements-percent": 20,
      "rejected-movements-percent-times-stable": 3,
      "connections-percent": 95,
      "connections-percent-times-stable": 3,
      restarts: 0,
      "restarts-times-stable": 10,
    });
  });

  it("are not answered while there is too little traffic, but for restarts", () => {
    for (const { metric, query } of asked({ minimumRequests: 77 })) {
      expect(() => readQuery(query), metric).not.to.throw();
      if (metric.startsWith("restarts")) expect(query).not.to.contain(">= 77");
      else
        expect(query).to.match(
          /\) and on\(\) \(sum\(increase\(http_requests_total\{[^}]*args\.release[^>]*\) >= 77\)/,
        );
    }
  });

  it("count a movement as refused whatever refuses it, and know nothing where some are missing", () => {
    for (const { query } of asked().filter(({ metric }) => metric.startsWith("rejected-"))) {
      expect(() => readQuery(query)).not.to.throw();
      const route = 'method="POST",route="/api/v1/movements"';
      expect(query).to.contain(`template_hash="{{args.release}}",${route},status=~"4.."`);
      const provided = /and on\(\) \(\((.*) > 0\) or \((.*) < 5\)\)$/.exec(query);
      expect(provided?.[1]).to.contain(`template_hash="{{args.release}}",${route}}`);
      expect(provided?.[2]).to.contain(`template_hash="{{args.stable}}",${route}}`);
    }
  });

  it("hold each value against that of the stable version in the same time", () => {
    const all = asked();
    for (const { metric, query } of all.filter(({ metric: name }) => !name.endsWith("-times-stable"))) {
      expect(query, metric).to.contain("args.release");
      const times = all.find(({ metric: name }) => name === `${metric}-times-stable`);
      expect(times?.query, metric).to.match(/args\.release.* \/ .*args\.stable/);
      expect(times?.query, metric).to.contain("[60s]").and.not.to.contain("offset");
    }
  });

  it("take no single connection of a small pool for many times more than none", () => {
    const times = asked().find(({ metric }) => metric === "connections-percent-times-stable");
    expect(times?.query.match(/ \+ 10\)/g)).to.have.lengthOf(2);
  });

  it("take no single event of a small sample for many times more than none", () => {
    const times = (name: string) =>
      asked().find(({ metric }) => metric === `${name}-percent-times-stable`)?.query ?? "";
    expect(times("error").match(/ \+ clamp_min\(100 \/ sum/g)).to.have.lengthOf(2);
    expect(times("rejected-movements").match(/ \+ clamp_min\(100 \/ clamp_min/g)).to.have.lengthOf(2);
    const refused = asked().find(({ metric }) => metric === "rejected-movements-percent");
    expect(refused?.query).to.match(/\/ clamp_min\(.*, 10\)/);
  });

  it("see a restart in a short window, too, though the container is down for longer than that", () => {
    const query = (windowSeconds: number) =>
      asked({ intervalSeconds: 5, windowSeconds }).find(({ metric }) => metric === "restarts")?.query;
    expect(query(10)).to.contain("[60s]");
    expect(query(90)).to.contain("[90s]");
    const promoted = questions(
      identity,
      analysisSchema.parse({ intervalSeconds: 5, windowSeconds: 10 }),
      "promoted",
    );
    const times = promoted.find(({ metric }) => metric === "restarts-times-stable");
    expect(times?.query).to.match(/args\.stable[^[]*\[60s\] offset 40s/);
  });

  it("leave out probes, and tell the versions apart", () => {
    const [errors] = asked();
    expect(errors?.query).to.contain('route!~"/healthz|/readyz|/metrics"');
    expect(errors?.query).to.contain('template_hash="{{args.release}}"').and.not.to.contain("args.stable");
  });

  it("hold a version that has all traffic against what the one before did before", () => {
    const settings = analysisSchema.parse({
      intervalSeconds: 20,
      toleratedUnknowns: 4,
      toleratedFailures: 1,
    });
    const times = questions(identity, settings, "promoted").find(
      ({ metric }) => metric === "error-percent-times-stable",
    );
    // Seven answers, one every 20 s: the last one looks back to before the switch.
    expect(times?.query)
      .to.match(/args\.stable[^[]*\[60s\] offset 140s/)
      .and.not.to.match(/args\.release[^[]*\[60s\] offset/);
  });
});
