import { expect } from "chai";
import type { Finding } from "../../../tools/drift/finding";
import { render, toJson, type Report } from "../../../tools/drift/render";
import { readState } from "../../../tools/drift/state";
import { UserError } from "../../../tools/engine/report";

const finding = (more: Partial<Finding>): Finding => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: "shop",
  name: "web",
  change: "changed",
  what: "data.key has another value",
  writer: { manager: "kubectl-edit", time: "2026-11-25T08:00:00Z" },
  urn: "urn:web",
  path: ["data", "key"],
  live: "sentinel",
  ...more,
});
const report = (findings: Finding[], others: Record<string, number> = {}): Report => ({
  stack: "staging",
  findings,
  state: { objects: [], references: new Map(), pending: [], others: new Map(Object.entries(others)) },
  seconds: 1.26,
});

describe("what is told of drift", () => {
  it("is one table, with the next step", () => {
    const added = finding({
      kind: "Role",
      namespace: "",
      name: "all",
      change: "extra",
      what: "is not in the stack",
      writer: undefined,
    });
    expect(render(report([finding({}), added]))).to.equal(
      [
        "kind       object    what                        who",
        "ConfigMap  shop/web  data.key has another value  kubectl-edit, 2026-11-25T08:00:00Z",
        "Role       all       is not in the stack         -",
        "",
        "Drift: 2 differences; 0 objects of staging compared in 1.3 s.",
        "Next:",
        "  npm run drift -- --stack staging --repair",
        "      puts back what was changed or deleted, after a preview",
        "  npm run drift -- --stack staging --repair --remove-added",
        "      also takes away what was added (1); to keep it, put it into the program",
      ].join("\n"),
    );
  });

  it("says when there is none, and what was not looked at", () => {
    expect(render(report([], { github: 3, random: 4, "helm-like": 1 }))).to.equal(
      [
        "No drift: 0 objects of staging compared in 1.3 s.",
        "Not compared: 3 resources of GitHub: not looked at here; npm run preview -- --refresh asks GitHub.",
        "Not compared: 1 resource of helm-like.",
      ].join("\n"),
    );
  });

  it("never has what was found in the cluster, for programs either", () => {
    const answer = toJson(report([finding({})], { github: 3 }));
    expect(answer).not.to.contain("sentinel");
    expect(JSON.parse(answer)).to.deep.include({
      stack: "staging",
      objects: 0,
      notLookedAt: { github: 3 },
      drift: [
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          namespace: "shop",
          name: "web",
          change: "changed",
          what: "data.key has another value",
          urn: "urn:web",
          who: "kubectl-edit",
          at: "2026-11-25T08:00:00Z",
        },
      ],
    });
  });
});

describe("reading a state", () => {
  it("refuses what is none, and secrets that cannot be read", () => {
    const secret = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      ciphertext: "v1:a:b",
    };
    const inputs = { apiVersion: "v1", kind: "Secret", metadata: { name: "x" }, data: secret };
    const resource = {
      urn: "u",
      type: "kubernetes:core/v1:Secret",
      custom: true,
      id: "x",
      inputs,
      outputs: inputs,
    };
    expect(() => readState("{")).to.throw(UserError, /cannot be read as a state/);
    expect(() => readState(JSON.stringify({ deployment: { resources: [resource] } }))).to.throw(
      UserError,
      /secrets are not readable: give the passphrase/,
    );
  });
});
