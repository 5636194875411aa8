import { join } from "node:path";
import { releaseCommand } from "../../../tools/release/main";
import type { Screen } from "../../../tools/release/screen";
import { checkoutWith, write } from "../engine/support";
import { FakeApi, recordsPath, rolloutPath } from "./fakeApi";
import { replicaSets, type rollout } from "./fixtures";

/** A checkout whose stack is on a cluster that is not there, but for its API server. */
export interface Place {
  readonly api: FakeApi;
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

// The client takes a while to load; that is no test's business.
before(async function () {
  this.timeout(60_000);
  await import("@kubernetes/client-node");
});

const started: FakeApi[] = [];
afterEach(() => Promise.all(started.splice(0).map((api) => api.stop())));

export async function placeWith(
  raw: ReturnType<typeof rollout> | undefined,
  records?: object,
): Promise<Place> {
  const api = new FakeApi();
  started.push(api);
  const server = await api.start();
  if (raw !== undefined) api.put(rolloutPath, raw);
  if (records !== undefined) api.put(recordsPath, { metadata: { name: "inventory-releases" }, ...records });
  api.lists.replicaSets.push(...replicaSets());
  const root = checkoutWith({
    "Pulumi.local.yaml": "config: { kubernetes:context: technova-local }",
    "Pulumi.staging.yaml": "config: { kubernetes:context: far, 'technova:application': { version: 1.1.0 } }",
  });
  const named = (name: string, value: object) => [{ name, ...value }];
  const kubeconfig = {
    clusters: named("c", { cluster: { server, "insecure-skip-tls-verify": true } }),
    users: named("u", { user: {} }),
    contexts: named("far", { context: { cluster: "c", user: "u" } }),
    "current-context": "",
  };
  const file = write(root, "kubeconfig", JSON.stringify(kubeconfig));
  return { api, root, env: { KUBECONFIG: file, TECHNOVA_CLUSTER_DIR: join(root, "none"), HOME: root } };
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly notes: string;
}

class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/** Runs a command as the command line would, on the stack `staging` unless it names another. */
export async function run(place: Place, ...args: string[]): Promise<Outcome> {
  const out: string[] = [];
  const notes: string[] = [];
  const screen: Screen = {
    isTerminal: false,
    colours: false,
    print: (text) => void out.push(text),
    note: (text) => void notes.push(text),
    progress: (text) => void notes.push(text),
    redraw: (text) => void out.push(text),
    sleep: () => new Promise((resolve) => setTimeout(resolve, 2)),
  };
  const exit = (code: number): never => {
    throw new Exit(code);
  };
  const command = releaseCommand(place.root, {
    env: { PULUMI_STACK: "staging", ...place.env },
    screen,
    exit,
  });
  command.configureOutput({
    writeOut: (text) => void out.push(text),
    writeErr: (text) => void notes.push(text),
  });
  for (const each of command.commands) each.copyInheritedSettings(command);
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await command.parseAsync(args, { from: "user" });
    return { code: Number(process.exitCode), out: out.join("\n"), notes: notes.join("\n") };
  } catch (error) {
    const code = error instanceof Exit ? error.code : 1;
    if (error instanceof Error && !(error instanceof Exit)) notes.push(error.message);
    return { code, out: out.join("\n"), notes: notes.join("\n") };
  } finally {
    process.exitCode = before;
  }
}
