import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { openState } from "../../tools/engine/state";
import { comparisonFor } from "../../tools/history/secrets";
import { openHistory } from "../../tools/history/source";
import type { Update } from "../../tools/history/update";
import { automation } from "../../tools/rollback/automation";
import { noPlatform, type Platform } from "../../tools/rollback/platform";
import type { AuditTrail } from "../../tools/rollback/record";
import {
  fileSettings,
  rollback,
  type RollbackOptions,
  type Surroundings,
} from "../../tools/rollback/rollback";
import { messageOfFailure } from "../tools/engine/support";
import { FakeScreen } from "../tools/rollback/support";
import type { TinyCheckout } from "./tinyCheckout";

export const usual: RollbackOptions = {
  stack: "test",
  to: "previous",
  allowDataLoss: false,
  watchSeconds: 0,
  program: "today",
  dryRun: false,
  yes: true,
  immediate: false,
};

interface Tried {
  readonly screen: FakeScreen;
  /** What the CLI printed. */
  readonly printed: string;
}

export async function surroundings(
  tiny: TinyCheckout,
  more: Partial<Surroundings> = {},
): Promise<Surroundings> {
  const state = openState(tiny.root, tiny.env);
  return {
    root: tiny.root,
    env: tiny.env,
    project: "tiny",
    screen: new FakeScreen(),
    history: await openHistory(tiny.root, "test", tiny.env, state),
    openHistory: () => openHistory(tiny.root, "test", tiny.env, state),
    settings: () => fileSettings(tiny.root, "test", "tiny"),
    secrets: (provider) => comparisonFor(provider, state, tiny.env),
    engine: automation(tiny.root, tiny.env, () => undefined),
    platform: noPlatform,
    trail: { record: () => Promise.resolve() } satisfies AuditTrail,
    confirm: () => Promise.reject(new Error("nobody is to be asked")),
    notUnderstood: () => [],
    ...more,
  };
}

export async function back(
  tiny: TinyCheckout,
  options: Partial<RollbackOptions> = {},
  more: Partial<Surroundings> = {},
): Promise<Tried> {
  const screen = new FakeScreen();
  let printed = "";
  const engine = automation(tiny.root, tiny.env, (text) => (printed += text));
  await rollback({ ...usual, ...options }, await surroundings(tiny, { screen, engine, ...more }));
  return { screen, printed };
}

export const settings = (version: string, more = "") => `# Comments stay.
config:
  tiny:application:
    version: "1.0.${version}"
    image: { build: { repository: technova/inventory } }
    length: 8
${more}`;

export const hash = (text: string) => createHash("sha256").update(text).digest("hex");

/** The lock that somebody on another machine holds, as the CLI writes it, below the backend's folder. */
export const lock = {
  path: ".pulumi/locks/organization/tiny/test/x.json",
  text: JSON.stringify({
    pid: 1,
    username: "alice",
    hostname: "elsewhere",
    timestamp: "2026-01-01T12:00:00Z",
  }),
};

/** Puts that lock where the stack's state is, and takes it away. */
export interface Locker {
  put(): Promise<void>;
  remove(): Promise<void>;
}

/** An update that fails; the file keeps its settings. */
export async function failedUpdate(tiny: TinyCheckout): Promise<string> {
  const good = tiny.read("Pulumi.test.yaml");
  tiny.write("Pulumi.test.yaml", good.replace("length: 8", "length: 8\n    fails: true"));
  return messageOfFailure(() => tiny.up());
}

/** Everything of the stack is deleted, and comes back as it was. */
export async function backFromNothing(tiny: TinyCheckout, expected: unknown): Promise<void> {
  await tiny.pulumi("destroy", "--yes", "--skip-preview", "--non-interactive", "--stack", "test");
  await back(tiny);
  expect(await stateOf(tiny)).to.deep.equal(expected);
  expect(await tiny.up()).to.match(/3 unchanged/);
}

/** What a stack is: the image, the secret and the rest of its settings, as its outputs and its file say it. */
export async function stateOf(tiny: TinyCheckout) {
  const { config } = parse(tiny.read("Pulumi.test.yaml")) as {
    config: Record<string, Record<string, unknown>>;
  };
  return {
    image: (await tiny.output("image")).slice(-4),
    seen: await tiny.output("seen"),
    version: config["tiny:application"]?.version,
    length: config["tiny:application"]?.length,
  };
}

export const updates = async (tiny: TinyCheckout): Promise<readonly Update[]> =>
  (await openHistory(tiny.root, "test", tiny.env)).updates();

export const setSecret = (tiny: TinyCheckout, value: string) =>
  tiny.pulumi("config", "set", "--secret", "--path", "tiny:secrets.database", value, "--stack", "test");

/** Updates 1 to 4: two versions, and two secrets. */
export async function withHistory(tiny: TinyCheckout): Promise<void> {
  tiny.write("Pulumi.test.yaml", settings("1"));
  await tiny.up();
  tiny.write("Pulumi.test.yaml", settings("2"));
  await tiny.up();
  await setSecret(tiny, "first-secret");
  await tiny.up();
  await setSecret(tiny, "second-secret");
  await tiny.up();
}

export const states = {
  1: { image: "1111", seen: hash("undefined"), version: "1.0.1", length: 8 },
  2: { image: "2222", seen: hash("undefined"), version: "1.0.2", length: 8 },
  3: { image: "2222", seen: hash("first-secret"), version: "1.0.2", length: 8 },
  4: { image: "2222", seen: hash("second-secret"), version: "1.0.2", length: 8 },
} as const;

/** Three rollbacks of which nothing comes: somebody has the stack, takes it while they ask, or before their update. */
export async function refusedWhileLocked(tiny: TinyCheckout, locker: Locker): Promise<void> {
  const seen = async () => [await stateOf(tiny), await updates(tiny), tiny.read("Pulumi.test.yaml")];
  const before = await seen();
  await locker.put();
  expect(await messageOfFailure(() => back(tiny))).to.match(
    /is locked: alice@elsewhere.*Nothing was done.*cancel --stack test/s,
  );
  await locker.remove();
  const confirm = () => locker.put().then(() => true);
  const asking = () => back(tiny, { yes: false }, { confirm });
  expect(await messageOfFailure(asking)).to.match(/is locked: alice@elsewhere.*Nothing was done/s);
  await locker.remove();
  const platform: Platform = { ...noPlatform, hurrying: (work) => locker.put().then(work) };
  const updating = () => back(tiny, { immediate: true }, { platform });
  expect(await messageOfFailure(updating)).to.match(/locked.*\nNothing was changed/s);
  expect(existsSync(join(tiny.root, ".pulumi-state/rollback/test"))).to.equal(false);
  await locker.remove();
  expect(await seen()).to.deep.equal(before);
}
