import { expect } from "chai";
import fc from "fast-check";
import { named, running, stateBefore } from "../../../tools/rollback/pick";
import { messageOfFailure } from "../engine/support";
import { entriesOf, idOf, type Made } from "./support";

/** One thing that somebody does to a stack. */
type Step = "release" | "same" | "fail" | "refresh" | "back" | "failedBack";
const steps: readonly Step[] = ["release", "same", "fail", "refresh", "back", "failedBack"];

const config = (state: number) => ({ "technova:application": { version: `1.0.${state}` } });

/** Carries out steps, going back as the command does, beside a model that only knows what a user expects of it. */
async function live(done: readonly Step[]) {
  const made: Made[] = [{ config: config(0) }];
  // States that can be gone back to, the one that runs last.
  const stack = [0];
  let states = 0;
  const current = () => running(entriesOf(...made))?.update.config;
  const before = () =>
    stateBefore(entriesOf(...made), ({ update }) =>
      Promise.resolve(!isGoodNewest(made) || JSON.stringify(update.config) !== JSON.stringify(current())),
    );
  for (const step of done) {
    const top = stack.at(-1) ?? 0;
    if (step === "release") {
      states += 1;
      stack.push(states);
      made.push({ config: config(states) });
    } else if (step === "same") made.push({ config: config(top) });
    else if (step === "refresh") made.push({ kind: "refresh", config: config(top) });
    else if (step === "fail") {
      // Somebody tries something, and puts the settings back.
      made.push({ config: config(1_000 + made.length), succeeded: false }, { config: config(top) });
    } else {
      const target = await before();
      expect(target?.update.config).to.deep.equal(stack.length > 1 ? config(stack.at(-2) ?? 0) : undefined);
      if (target === undefined) continue;
      if (step === "failedBack") {
        const left = made.length;
        made.push(
          { config: target.update.config, succeeded: false, backTo: target.update.number },
          { config: config(top), backTo: left },
        );
      } else {
        stack.pop();
        made.push({ config: target.update.config, backTo: target.update.number });
      }
    }
  }
  const last = await before();
  expect(last?.update.config).to.deep.equal(stack.length > 1 ? config(stack.at(-2) ?? 0) : undefined);
}

const isGoodNewest = (made: readonly Made[]) => running(entriesOf(...made))?.update.succeeded === true;

/** The state before by the number of its update; equal versions are the same state. */
async function beforeOf(...made: readonly Made[]): Promise<number | undefined> {
  const entries = entriesOf(...made);
  const now = running(entries);
  const differs = ({ update }: (typeof entries)[number]) =>
    Promise.resolve(
      now?.update.succeeded !== true ||
        now.update.kind !== "update" ||
        JSON.stringify(update.config) !== JSON.stringify(now.update.config),
    );
  return (await stateBefore(entries, differs))?.update.number;
}

const version = (number: number): Made => ({ config: config(number) });

describe("the state before", () => {
  it("is that of the newest update with other settings", async () => {
    expect(await beforeOf(version(1), version(2), version(2))).to.equal(1);
  });

  it("is none where every update has the same settings", async () => {
    expect(await beforeOf(version(1), version(1))).to.equal(undefined);
    expect(await beforeOf()).to.equal(undefined);
  });

  it("is two states back after a rollback", async () => {
    expect(await beforeOf(version(1), version(2), version(3), { ...version(2), backTo: 2 })).to.equal(1);
  });

  it("is the one that a rollback brought back, once something else was released", async () => {
    const history = [version(1), version(2), version(3), { ...version(2), backTo: 2 }, version(4)];
    expect(await beforeOf(...history)).to.equal(2);
    expect(await beforeOf(...history, { ...version(2), backTo: 2 })).to.equal(1);
  });

  it("is what ran before an update that failed", async () => {
    expect(await beforeOf(version(1), version(2), { ...version(3), succeeded: false })).to.equal(2);
  });

  it("is what ran before everything was deleted", async () => {
    expect(await beforeOf(version(1), version(2), { ...version(2), kind: "destroy" })).to.equal(2);
  });

  it("takes no notice of what only looks, nor of a mark that points forward", async () => {
    expect(await beforeOf(version(1), version(2), { ...version(2), kind: "refresh" })).to.equal(1);
    expect(await beforeOf(version(1), { ...version(2), backTo: 3 }, version(3))).to.equal(2);
  });

  it("is as far back as there were rollbacks, whatever happens between them", () =>
    fc.assert(fc.asyncProperty(fc.array(fc.constantFrom(...steps), { maxLength: 25 }), live), {
      numRuns: 300,
    }));
});

describe("a state that somebody names", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const history = entriesOf(
    version(1),
    { ...version(2), environment: { "git.head": commit } },
    { ...version(3), succeeded: false, environment: { "git.head": commit } },
    { ...version(3), kind: "refresh" },
    version(4),
  );
  for (const [text, number] of [
    ["1", 1],
    ["#2", 2],
    [idOf(5), 5],
    ["2026-01-01T12:01Z", 2],
    ["2026-01-01 12:01", 2],
    ["2026-01-01T12:01:10Z", 1],
    ["2026-01-01T13:03+01:00", 2],
    ["2026-01-01", 5],
    [commit.slice(0, 8), 2],
    [commit, 2],
  ] as const) {
    it(`is update ${number} by ${text}`, () => expect(named(history, text).update.number).to.equal(number));
  }

  for (const [text, told] of [
    ["7", /no update 7 in the history/],
    ["2025-12-31", /no update 2025-12-31/],
    ["abcdef0", /no update abcdef0/],
    ["yesterday", /--to takes a number/],
    ["3", /Update 3 .* failed: .* The one before that succeeded is 2\./],
    ["4", /Update 4 .* is a refresh, which made no state/],
  ] as const) {
    it(`is refused by ${text}`, async () => {
      expect(await messageOfFailure(() => named(history, text))).to.match(told);
    });
  }
});
