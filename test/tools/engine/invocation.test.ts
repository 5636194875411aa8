import { expect } from "chai";
import { join } from "node:path";
import {
  changesResources,
  insertFlags,
  parseInvocation,
  readsSettings,
  runsProgram,
  withPolicyPack,
} from "../../../tools/engine/invocation";
import { checkoutWith, messageOfFailure } from "./support";

const parse = (...args: string[]) => parseInvocation(args, {});

describe("a command line of the CLI", () => {
  for (const [args, command, stack] of [
    [["up", "--yes"], "up", "local"],
    [["--", "up", "--stack", "staging"], "up", "staging"],
    [["-s", "staging", "update"], "up", "staging"],
    [["--stack=a", "up", "-s", "b"], "up", "b"],
    [["--color", "never", "-v", "3", "pre"], "preview", "local"],
    [["-sprod", "dn"], "destroy", "prod"],
    [["--non-interactive", "stack", "output"], "stack", "local"],
    [["--version"], undefined, "local"],
  ] as const) {
    it(`${args.join(" ")} is ${command ?? "no command"} on ${stack}`, () => {
      expect(parse(...args)).to.include({ command, stack });
    });
  }

  it("works on PULUMI_STACK when it names no stack", () => {
    expect(parseInvocation(["up"], { PULUMI_STACK: "staging" }).stack).to.equal("staging");
  });

  it("knows which commands read settings, run the program and change things", () => {
    const of = (command: string) =>
      [readsSettings, runsProgram, changesResources].map((is) => is(parse(command)));
    expect(of("preview")).to.deep.equal([true, true, false]);
    expect(of("update")).to.deep.equal([true, true, true]);
    expect(of("destroy")).to.deep.equal([true, false, true]);
    expect(of("config")).to.deep.equal([true, false, false]);
    expect(of("stack")).to.deep.equal([false, false, false]);
  });

  it("gets its flags in front of what the user put behind --", () => {
    const call = parse("config", "set", "technova:a", "--", "-1");
    expect(insertFlags(call, ["--config-file", "x"])).to.deep.equal(
      ["config", "--config-file", "x", "set", "technova:a", "--", "-1"], // prettier keeps the parts on one line
    );
  });

  it("may name another settings file, which is then worked on in its place", () => {
    expect(parse("up", "--config-file", "other.yaml", "--yes")).to.deep.include({
      settingsFile: join(process.cwd(), "other.yaml"),
      args: ["up", "--yes"],
    });
    expect(parse("up", "--config-file=/x.yaml").settingsFile).to.equal("/x.yaml");
  });

  for (const args of [
    ["-C", "/x", "up"],
    ["up", "--cwd=/x"],
  ]) {
    it(`cannot leave the checkout with ${args.join(" ")}`, async () => {
      expect(await messageOfFailure(() => parse(...args))).to.include("--cwd cannot be used");
    });
  }
});

describe("the policy pack", () => {
  let root: string;
  let pack: string;
  beforeEach(() => {
    root = checkoutWith({ "policy/config/staging.json": "{}" });
    pack = join(root, "policy");
  });
  const flags = (...args: string[]) => withPolicyPack(root, parse(...args), "/empty.json");

  for (const command of ["preview", "pre", "up", "update", "watch"]) {
    it(`is passed to ${command}`, () => {
      expect(flags(command)).to.deep.equal(["--policy-pack", pack]);
    });
  }

  it("gets the configuration of its stack", () => {
    expect(flags("up", "--stack", "staging")).to.deep.equal([
      "--policy-pack",
      pack,
      "--policy-pack-config",
      join(root, "policy/config/staging.json"),
    ]);
  });

  it("stays, and keeps its place in front, when the user adds packs and configurations", () => {
    const call = parse("up", "--policy-pack", "mine", "--policy-pack-config", "mine.json");
    expect(insertFlags(call, withPolicyPack(root, call, "/empty.json"))).to.deep.equal([
      "up",
      "--policy-pack",
      pack,
      "--policy-pack-config",
      "/empty.json",
      "--policy-pack",
      "mine",
      "--policy-pack-config",
      "mine.json",
    ]);
  });

  it("stays when flags stand in front of the command", () => {
    const call = parse("--color", "never", "up");
    expect(insertFlags(call, withPolicyPack(root, call, ""))).to.deep.equal([
      "--color",
      "never",
      "up",
      "--policy-pack",
      pack,
    ]);
  });

  it("is not passed to commands that do not take it", () => {
    for (const command of ["destroy", "refresh", "config", "stack"]) expect(flags(command)).to.deep.equal([]);
  });
});
