import { readFileSync, readdirSync, readlinkSync } from "node:fs";

/** A process that cannot be mistaken for another one that later got the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks between the machine's boot and the start of the process (field 22 of /proc/pid/stat). */
  readonly startTime: string;
}

/** Start time out of the text of /proc/pid/stat. The command's name may itself hold spaces and brackets. */
export function parseStartTime(stat: string): string {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const startTime = fields[19];
  if (startTime === undefined) throw new Error("not the content of /proc/<pid>/stat");
  return startTime;
}

/** State letter out of the text of /proc/pid/stat; `Z` is a process that ended and was not yet collected. */
export function parseState(stat: string): string {
  return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
}

/** The identity of a living process, or undefined when there is none with this id. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return parseState(stat) === "Z" ? undefined : { pid, startTime: parseStartTime(stat) };
  } catch {
    return undefined;
  }
}

/** Whether exactly this process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Process ids from the outermost namespace to the innermost, out of /proc/pid/status. */
export function parseNamespacePids(status: string): number[] {
  const line = /^NSpid:\s*(.+)$/m.exec(status)?.[1];
  return line === undefined ? [] : line.trim().split(/\s+/).map(Number);
}

/** Id on the machine of the process that has id `inner` in the process namespace of `member`. */
export function outerPid(member: number, inner: number): number | undefined {
  const matches = findProcesses((pid) => sharesPidNamespace(pid, member) && innerPid(pid) === inner);
  return matches[0]?.pid;
}

/** Id of a process in its own, innermost namespace. */
export function innerPid(pid: number): number | undefined {
  return parseNamespacePids(readFileSync(`/proc/${pid}/status`, "utf8")).at(-1);
}

/** Processes for which `test` holds. One that ends meanwhile is left out. */
export function findProcesses(test: (pid: number) => boolean): ProcessIdentity[] {
  return readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    try {
      const identity = Number.isInteger(pid) && test(pid) ? identify(pid) : undefined;
      return identity === undefined ? [] : [identity];
    } catch {
      return [];
    }
  });
}

/** Whether both run in the same process namespace. */
export function sharesPidNamespace(first: number, second: number): boolean {
  const namespace = namespaceOf(first);
  return namespace !== undefined && namespace === namespaceOf(second);
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** Resident memory in bytes; 0 when the process is gone. */
export function residentBytes(pid: number): number {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Seconds since the process started. */
export function uptimeSeconds(identity: ProcessIdentity): number {
  const ticksPerSecond = 100; // USER_HZ, fixed for every Linux architecture that Node runs on
  const machine = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return Math.max(0, Math.round(machine - Number(identity.startTime) / ticksPerSecond));
}
