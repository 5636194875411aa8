import { UserError } from "../engine/report";

/** What a recovery is asked for: the newest state, one of the dumps, a moment, or no data at all. */
export type Wanted =
  | { readonly kind: "latest" | "latestDump" | "none" }
  | { readonly kind: "dump"; readonly name: string }
  | { readonly kind: "time"; readonly at: Date };

/** What the stack's settings say of it: the value of `application.database.recovery`. */
export type Recovery =
  | { readonly snapshot: string }
  /** `orEnd`: the end of the log will do where it has no change as late as that. */
  | { readonly time: string; readonly orEnd?: boolean };

/** What a dump's name begins with; the time in it is when it was taken. */
const dumpName = /^inventory-\d{8}T\d{6}Z-/;
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** @throws UserError that says what is taken */
export function parseWanted(text: string): Wanted {
  if (text === "latest" || text === "none") return { kind: text };
  if (text === "latest-dump") return { kind: "latestDump" };
  if (dumpName.test(text)) return { kind: "dump", name: text };
  if (moment.test(text)) {
    const at = new Date(text);
    if (!Number.isNaN(at.getTime())) return { kind: "time", at };
  }
  throw new UserError(
    `--snapshot got ${JSON.stringify(text)}; it takes latest (as far as the log reaches, else the newest dump), ` +
      "latest-dump, the name of a dump as --list shows it, a time with its zone such as 2026-01-31T12:00:00Z, or " +
      "none where the database is elsewhere and has its data.",
  );
}

/** How it is written on the command line. */
export function wantedText(wanted: Wanted): string {
  if (wanted.kind === "dump") return wanted.name;
  if (wanted.kind === "time") return wanted.at.toISOString();
  return wanted.kind === "latestDump" ? "latest-dump" : wanted.kind;
}

/** When a backup was taken, by its name. */
export function takenAt(name: string): Date | undefined {
  const stamp = /^inventory-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(name)?.slice(1);
  if (stamp === undefined) return undefined;
  const [year, month, day, hour, minute, second] = stamp;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
