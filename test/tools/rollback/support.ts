import type { LeftBehind } from "../../../tools/history/checkpoint";
import { factsOf } from "../../../tools/history/facts";
import type { HistorySource } from "../../../tools/history/source";
import type { Config, Update } from "../../../tools/history/update";
import type { Screen } from "../../../tools/release/screen";
import type { Entry } from "../../../tools/rollback/states";

export const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;

export interface Made extends Partial<Omit<Update, "id" | "number" | "config">> {
  readonly config?: Config;
  /** Number of the update that it went back to. */
  readonly backTo?: number;
}

/** Updates of a stack, one a minute, numbered from 1 on; each succeeded unless it says otherwise. */
export function updatesOf(...made: readonly Made[]): Update[] {
  return made.map(({ backTo, ...given }, index) => ({
    id: idOf(index + 1),
    number: index + 1,
    kind: "update",
    succeeded: true,
    startedAt: new Date(Date.UTC(2026, 0, 1, 12, index, 0)),
    endedAt: new Date(Date.UTC(2026, 0, 1, 12, index, 30)),
    message: "",
    changes: {},
    config: {},
    ...given,
    environment: {
      ...(backTo === undefined
        ? {}
        : { "exec.agent": `technova-platform user=a@b rollback=${idOf(backTo)}` }),
      ...given.environment,
    },
  }));
}

export const idOf = (number: number): string => String(1_800_000_000_000_000_000n + BigInt(number));

export const entriesOf = (...made: readonly Made[]): Entry[] =>
  updatesOf(...made).map((update) => ({ update, facts: factsOf(update, "technova") }));

/** A history in memory. */
export class FakeHistory implements HistorySource {
  holder: string | undefined;
  readonly left = new Map<string, LeftBehind>();
  now: LeftBehind | undefined = { secretsProvider: { type: "passphrase", state: { salt: "v1:now" } } };

  constructor(private readonly made: readonly Update[]) {}

  updates(limit = Infinity): Promise<readonly Update[]> {
    return Promise.resolve(this.made.slice(-limit));
  }
  leftBehind(id: string): Promise<LeftBehind | undefined> {
    return Promise.resolve(this.left.get(id));
  }
  current(): Promise<LeftBehind | undefined> {
    return Promise.resolve(this.now);
  }
  lockedBy(): Promise<string | undefined> {
    return Promise.resolve(this.holder);
  }
}

/** Keeps what is said, and waits for nothing. */
export class FakeScreen implements Screen {
  readonly isTerminal = false;
  readonly colours = false;
  readonly said: string[] = [];
  print(text: string): void {
    this.said.push(text);
  }
  note(text: string): void {
    this.said.push(text);
  }
  progress(): void {}
  redraw(): void {}
  sleep(): Promise<unknown> {
    return Promise.resolve();
  }
  get text(): string {
    return this.said.join("\n");
  }
}
