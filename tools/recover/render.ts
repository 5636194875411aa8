import { formatSeconds } from "../engine/report";
import { describe } from "../state/verify";
import type { FoundArchive } from "./archives";
import type { Checked } from "./check";
import { stepNames, type Journal } from "./journal";
import type { Survey } from "./survey";
import type { Findings } from "./verify";

const time = (at: Date): string => at.toISOString().replace(/\.\d{3}Z$/, "Z");

function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 2 ** (10 * power)).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** What a recovery is going to do. */
export function renderPlan(stack: string, { archive, chosen, manifest, secrets, notes }: Checked): string {
  const data =
    chosen === undefined
      ? "none: the database has its data, or stays empty"
      : `${chosen.kind === "dumps" ? "dump" : "base backup and log,"} ${chosen.backup.name}, up to ${time(chosen.until)}`;
  const tables = Object.entries(manifest?.tables ?? {}).map(([name, rows]) => `${name} ${rows}`);
  const rows: [string, string][] = [
    ["stack", stack],
    [
      "state",
      `${archive.from}, of ${archive.archive.manifest.created}, ${archive.content.urns.length} resources`,
    ],
    ["data", data],
    ...(tables.length === 0 ? [] : ([["rows", tables.join(", ")]] as [string, string][])),
    [
      "Secrets",
      secrets.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(", ") || "none to bring",
    ],
  ];
  return [...rows.map(([name, value]) => `${name.padEnd(9)}${value}`), ...notes].join("\n");
}

/** What could be recovered. */
export function renderSurvey(archive: FoundArchive, found: Survey | undefined): string {
  const lines = [archive.from, ...describe(archive).map((line) => `  ${line}`), ""];
  if (found === undefined) return [...lines, "The stack keeps no backups of its database."].join("\n");
  const dumps = found.dumps.map(({ name, at, bytes }) => `  ${name}  ${time(at)}  ${size(bytes)}`);
  const reaches = found.reaches.map(({ base, until, segments, gap }) => {
    const reach = segments === 0 ? "without its log" : `any time until ${time(until)}, ${segments} segments`;
    return `  ${base.name}  from ${time(base.at)}  ${reach}${gap === undefined ? "" : `; ${gap} is missing then`}`;
  });
  return [
    ...lines,
    `dumps (--snapshot <name>, or latest-dump): ${found.dumps.length}`,
    ...dumps,
    `base backups with the log (--snapshot <time>, or latest): ${found.reaches.length}`,
    ...reaches,
  ].join("\n");
}

/** What has come back, up to when, and how long it took. */
export function renderResult(stack: string, journal: Journal, findings: Findings, now: Date): string {
  const { seconds, startedAt, until } = journal;
  const { newestMovement, rows, notes } = findings;
  const steps = (["check", ...stepNames] as const).flatMap((name) => {
    const taken = seconds[name];
    return taken === undefined ? [] : [`${name} ${formatSeconds(taken * 1000)}`];
  });
  const counted = Object.entries(rows ?? {}).map(([name, count]) => `${name} ${count}`);
  const lines: [string, string][] = [
    ["service", `${stack} answers`],
    [
      "data up to",
      newestMovement === undefined ? "no movement is known" : `${time(newestMovement)}, the newest movement`,
    ],
    ...(until === undefined ? [] : ([["backup up to", time(new Date(until))]] as [string, string][])),
    ...(counted.length === 0 ? [] : ([["rows", counted.join(", ")]] as [string, string][])),
    ["took", `${formatSeconds(now.getTime() - Date.parse(startedAt))} (${steps.join(", ")})`],
  ];
  return [...lines.map(([name, value]) => `${name.padEnd(14)}${value}`), ...notes].join("\n");
}
