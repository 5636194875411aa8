import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { withLock } from "../engine/lockfile";
import { projectName, stackFile } from "../engine/project";
import { formatSeconds, messageOf, UserError } from "../engine/report";
import { writeWhole } from "../rollback/journal";
import type { Screen } from "../release/screen";
import { restore } from "../state/restore";
import { verify as verifyArchive } from "../state/verify";
import { bringing, databaseIsEmpty, type Brought, type Secret } from "./cluster";
import {
  bringable,
  check,
  chooseAnew,
  keptImage,
  knownOf,
  type Checked,
  type CheckMeans,
  type CheckOptions,
  type ChosenBackup,
} from "./check";
import {
  forgetJournal,
  readJournal,
  recoveryFolder,
  stepNames,
  writeJournal,
  type Journal,
  type StepName,
} from "./journal";
import { renderPlan, renderResult } from "./render";
import { withImageOf, withRecovery, type Known } from "./settings";
import { lastSettings, resourcesThere, stripState } from "./state";
import type { Findings } from "./verify";
import { wantedText, type Wanted } from "./wanted";

export interface RecoverOptions extends CheckOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export interface RecoverMeans extends CheckMeans {
  readonly screen: Screen;
  /** @throws UserError where nobody can be asked */
  confirm(question: string): Promise<boolean>;
  /** `npm run up` with other settings of the stack; its exit code. */
  up(settingsFile: string | undefined): Promise<number>;
  /** Looks at the service once it is there. @throws UserError when it or its data is not as it should be */
  verify(journal: Journal, known: Known): Promise<Findings>;
  /** Writes it into the audit trail. @throws when it cannot */
  record(message: string): Promise<void>;
}

/**
 * From nothing to a running service with its data. Killed at any moment and started again, it goes on.
 * @throws UserError when it cannot be done, or has failed; started again it goes on from there
 */
export function recover(options: RecoverOptions, means: RecoverMeans): Promise<void> {
  const { stack } = options;
  const lock = `${recoveryFolder(means.root, stack)}.lock`;
  return withLock(lock, `recovering the stack ${stack}`, () => beginOrGoOn(options, means));
}

async function beginOrGoOn(options: RecoverOptions, means: RecoverMeans): Promise<void> {
  const { root, screen } = means;
  const { stack } = options;
  const begun = readJournal(root, stack);
  if (begun !== undefined) {
    const journal = await withBackup(begun, options, means);
    const next = stepNames.find((name) => !journal.done.includes(name)) ?? "tidy";
    screen.print(`A recovery of ${begun.startedAt} was interrupted; it goes on with: ${titles[next]}.`);
    const anew = journal === begun ? "--state and --snapshot are those" : "--state is that";
    screen.note(`note: ${anew} of then: ${begun.archive.from}, ${textOf(journal)}`);
    if (options.dryRun) return;
    // They are in no journal: they are given again.
    const { secrets, notes } = bringable(options, knownOf(root, stack), means);
    if (next === "up") for (const note of notes) screen.note(note);
    await goOn(writeJournal(root, stack, journal), secrets, options, means);
    return;
  }
  const started = Date.now();
  screen.note(titles.check);
  const checked = await check(options, means);
  const seconds = { check: (Date.now() - started) / 1000 };
  screen.print(renderPlan(stack, checked));
  const wanted = options.yes || (!options.dryRun && (await means.confirm(`Recover ${stack} from that?`)));
  if (options.dryRun || !wanted) {
    screen.print("Nothing was changed.");
    return;
  }
  const journal = writeJournal(root, stack, journalFor(options, checked, means, started, seconds));
  await goOn(journal, checked.secrets, options, means);
}

const titles: Readonly<Record<StepName | "check", string>> = {
  check: "looking at the archive, the backend, the cluster and the bucket",
  state: "the state goes into the backend",
  cluster: "what the old cluster held leaves the state",
  settings: "image, version and schema become those of the archive",
  up: "everything is made again, and the database is filled",
  verify: "the service and its data are looked at",
  tidy: "the recovery leaves the settings",
};

/** The archive is copied first: it has to be there for as long as the recovery goes on. */
function journalFor(
  { stack, wanted }: RecoverOptions,
  checked: Checked,
  { root }: RecoverMeans,
  started: number,
  seconds: Journal["seconds"],
): Journal {
  const { archive } = checked;
  const file = basename(archive.from);
  writeWhole(join(recoveryFolder(root, stack), file), archive.bytes);
  return {
    startedAt: new Date(started).toISOString(),
    archive: { file, from: archive.from, sha256: createHash("sha256").update(archive.bytes).digest("hex") },
    ...backupOf(checked, wanted),
    done: [],
    seconds,
  };
}

function backupOf(
  { chosen, manifest, keepsImage }: ChosenBackup,
  wanted: Wanted = { kind: "latest" },
): Pick<Journal, "wanted" | "recovery" | "backup" | "until" | "tables" | "keepsImage"> {
  return {
    wanted: wantedText(wanted),
    recovery: chosen?.recovery,
    backup: chosen?.backup.name,
    until: chosen?.until.toISOString(),
    tables: manifest?.tables ?? undefined,
    keepsImage,
  };
}

/**
 * What was begun, with another backup where one is asked for.
 * @throws UserError where the database may have something already, which another backup would not change
 */
async function withBackup(begun: Journal, options: RecoverOptions, means: RecoverMeans): Promise<Journal> {
  const { stack, wanted } = options;
  const { root } = means;
  if (wanted === undefined || wantedText(wanted) === begun.wanted) return begun;
  const inCluster = knownOf(root, stack).databaseType === "inCluster";
  if (begun.filling && !(inCluster && (await databaseIsEmpty(await means.connect())))) {
    throw new UserError(
      `The update that fills the database from ${textOf(begun)} has begun, and another --snapshot changes nothing in a ` +
        "database that has something. Leave it out to go on." +
        (inCluster
          ? " To begin with an empty one, run these, and then this again:\n" +
            "  kubectl delete statefulset/inventory-database pvc/data-inventory-database-0 -n inventory\n" +
            `  npm run pulumi -- refresh --stack ${stack} --yes`
          : ""),
    );
  }
  const chosen = await chooseAnew(options, join(recoveryFolder(root, stack), begun.archive.file), means);
  const kept = begun.done.filter((name) => name === "state" || name === "cluster");
  return { ...begun, ...backupOf(chosen, wanted), filling: false, done: kept };
}

async function goOn(
  begun: Journal,
  secrets: readonly Secret[],
  { stack, sealingKeys }: RecoverOptions,
  means: RecoverMeans,
): Promise<void> {
  const { root, screen } = means;
  let journal = begun;
  const steps: Record<StepName, () => Promise<void>> = {
    state: () => restoreState(journal, stack, means),
    cluster: async () => {
      const { removed, pending } = await stripState(root, stack, means.env);
      screen.note(`${removed} resources of the old cluster will be made again`);
      for (const each of pending)
        screen.note(`warning: it was not known whether this had been done when the state was kept: ${each}`);
    },
    settings: () => takeImage(journal, stack, means),
    up: () => {
      journal = writeJournal(root, stack, { ...journal, filling: true });
      return fill(journal, stack, { secrets, sealingKeys }, means);
    },
    verify: async () => {
      const findings = await means.verify(journal, knownOf(root, stack));
      const now = new Date();
      screen.print(renderResult(stack, journal, findings, now));
      const newest = findings.newestMovement?.toISOString() ?? "no movement";
      journal = {
        ...journal,
        found: `data up to ${newest}, ${formatSeconds(now.getTime() - Date.parse(journal.startedAt))}`,
      };
    },
    tidy: async () => {
      if (journal.recovery === undefined) return;
      await refuseFailure(means.up(undefined), "take the recovery out again");
      // Its database was started anew for that.
      await means.verify(journal, knownOf(root, stack));
    },
  };
  for (const name of stepNames.filter((each) => !journal.done.includes(each))) {
    screen.note(titles[name]);
    const started = Date.now();
    try {
      await steps[name]();
    } catch (error) {
      throw new UserError(
        `${messageOf(error)}\nThe recovery stopped where ${titles[name]}. Put that right and run the same command ` +
          "again: it goes on from there.",
      );
    } finally {
      const seconds = (journal.seconds[name] ?? 0) + (Date.now() - started) / 1000;
      journal = writeJournal(root, stack, { ...journal, seconds: { ...journal.seconds, [name]: seconds } });
    }
    journal = writeJournal(root, stack, { ...journal, done: [...journal.done, name] });
    screen.note(`done after ${formatSeconds((journal.seconds[name] ?? 0) * 1000)}`);
  }
  const from = `from ${textOf(journal)}, state archive ${basename(journal.archive.from)}`;
  await means
    .record([from, ...(journal.found === undefined ? [] : [journal.found])].join("; "))
    .catch((error: unknown) => {
      screen.note(`warning: the audit trail lacks the recovery: ${messageOf(error)}`);
    });
  forgetJournal(root, stack);
  screen.print(`The stack ${stack} is an ordinary one again.`);
}

function textOf({ recovery, until }: Journal): string {
  if (recovery === undefined) return "no backup";
  if ("snapshot" in recovery) return `the dump ${recovery.snapshot}`;
  return recovery.time === "latest"
    ? `the log, as far as it reaches (${until})`
    : `the log, up to ${recovery.time}`;
}

async function restoreState(
  journal: Journal,
  stack: string,
  { root, env, screen }: RecoverMeans,
): Promise<void> {
  const path = join(recoveryFolder(root, stack), journal.archive.file);
  const { content } = await verifyArchive(path, root, env);
  // A run that was killed right after it: the state is written last, and whole.
  if ((await resourcesThere(root, stack, env)) === content.urns.length) return;
  const { notes } = await restore(root, path, { stack, replace: true, ours: true, waitSeconds: 0 }, env);
  for (const note of notes) screen.note(note);
}

async function takeImage(
  journal: Journal,
  stack: string,
  { root, env, screen }: RecoverMeans,
): Promise<void> {
  if (journal.keepsImage) {
    screen.note(keptImage(stack));
    return;
  }
  const archive = await verifyArchive(join(recoveryFolder(root, stack), journal.archive.file), root, env);
  const path = stackFile(root, stack);
  const { text, changed } = withImageOf(readFileSync(path, "utf8"), lastSettings(archive), projectName(root));
  if (changed.length === 0) return;
  writeWhole(path, text, 0o644);
  screen.note(`Pulumi.${stack}.yaml: ${changed.join(", ")} as in the archive; commit it when all is well`);
}

async function fill(
  journal: Journal,
  stack: string,
  brought: Brought,
  { root, connect, up }: RecoverMeans,
): Promise<void> {
  const text = readFileSync(stackFile(root, stack), "utf8");
  const file = join(recoveryFolder(root, stack), `Pulumi.${stack}.yaml`);
  writeWhole(file, withRecovery(text, journal.recovery, projectName(root)));
  await bringing(await connect(), brought, () => refuseFailure(up(file), "bring everything up"));
}

async function refuseFailure(code: Promise<number>, what: string): Promise<void> {
  const answer = await code;
  if (answer !== 0)
    throw new UserError(`The update that was to ${what} ended with ${answer}; it says above why.`);
}
