/** What the containers of one part of the platform do when all is well. Everything else is an event. */
export interface Profile {
  /** Short and unique, such as `gateway`. */
  readonly part: string;
  readonly namespace: string;
  /** Names of its containers; none where they are named anew each time, and its Pods have the label of `component`. */
  readonly containers: readonly string[];
  readonly component?: string;
  /** Programs that are started in them, by the path of the executable that links lead to. */
  readonly programs: readonly string[];
  /** What Python is started with, where it is among the programs. */
  readonly scripts?: readonly string[];
  /** Folders that are written to, beyond those of `scratch`. */
  readonly writes?: readonly string[];
  /** Whether there is no saying where it writes. */
  readonly writesAnywhere?: boolean;
  /** Folders with Secrets. */
  readonly secrets?: readonly string[];
  /** Whether it asks the API server with its account's token. */
  readonly token?: boolean;
  /** Whether it looks into its node: as root, with capabilities or with folders of it. */
  readonly node?: boolean;
}

/** Folders that every container may write to: the one volume for that, devices, and the process itself. */
export const scratch = ["/tmp", "/dev", "/proc/self"] as const;

/** Upstream's Python and Debian's, of which the embedded cluster builds its images. */
export const pythons = ["/usr/local/bin/python3.11", "/usr/bin/python3.11"] as const;

export const shells = ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "csh", "tcsh", "fish"] as const;

/** Programs of Debian, in a system with one folder for programs and in one with two. */
const debian = (...names: readonly string[]) => names.flatMap((name) => [`/usr/bin/${name}`, `/bin/${name}`]);

/** PostgreSQL's programs, in upstream's image and in Debian's. */
const postgresql = (...names: readonly string[]) => names.map((name) => `/usr/lib/postgresql/15/bin/${name}`);

const planFolder = "/run/snapshot-plan";
const snapshotFolder = "/snapshots";
const connectionFolder = "/run/backup";
const backupFolder = "/backups";
const walFolder = "/var/lib/wal-archive";
const databaseFolder = "/var/lib/postgresql/data";
const inventory = "/opt/venv/bin/inventory";

/** Every container of the platform; a test compares them with what the stacks run. */
export const profiles: readonly Profile[] = [
  {
    part: "application",
    namespace: "inventory",
    containers: [
      ...["inventory", "check", "connect", "store", "fetch", "smoke-test"],
      ...["fetch-backup", "keep", "judge", "ship"],
    ],
    programs: pythons,
    scripts: [inventory],
    writes: [planFolder, snapshotFolder, connectionFolder, backupFolder, walFolder, databaseFolder],
    secrets: [
      ...["/etc/inventory/secrets", "/etc/snapshot/credentials", "/etc/smoke-test", planFolder],
      ...["/etc/backup/keys", "/etc/backup/credentials", "/etc/backup/server", connectionFolder],
    ],
  },
  {
    part: "snapshots",
    namespace: "inventory",
    containers: ["dump", "restore"],
    programs: [
      ...debian("dash", "cat", "cut", "date", "dirname", "find", "grep", "mktemp", "mv", "rm", "sha256sum"),
      ...debian("sort", "stat", "sync", "tail", "tr", "wc"),
      ...postgresql("createdb", "initdb", "pg_ctl", "pg_dump", "pg_restore", "postgres", "psql"),
    ],
    writes: [planFolder, snapshotFolder, connectionFolder, backupFolder],
    secrets: [planFolder, connectionFolder],
  },
  {
    part: "backups",
    namespace: "inventory",
    containers: ["copy", "receive", "backup-role", "restore-backup"],
    programs: [
      ...debian(
        "dash",
        "cat",
        "cut",
        "date",
        "dirname",
        "du",
        "find",
        "grep",
        "head",
        "mv",
        "rm",
        "sha256sum",
      ),
      ...debian("sleep", "sort", "tr"),
      ...postgresql("pg_basebackup", "pg_isready", "pg_receivewal", "pg_restore", "psql"),
    ],
    writes: [connectionFolder, backupFolder, walFolder],
    secrets: [connectionFolder, "/etc/backup/server", "/etc/postgresql-secrets"],
  },
  {
    part: "recovery",
    namespace: "inventory",
    containers: ["replay"],
    programs: [
      ...debian("dash", "cat", "cp", "dirname", "grep", "gzip", "mv", "rm", "sleep", "sync", "tail"),
      ...postgresql("pg_verifybackup", "pg_waldump", "postgres", "psql"),
    ],
    writes: [backupFolder, databaseFolder],
    secrets: ["/etc/postgresql-secrets"],
  },
  {
    part: "database",
    namespace: "inventory",
    containers: ["postgresql"],
    programs: [
      ...debian("bash", "dash", "basename", "cat", "chmod", "find", "gunzip", "gzip", "id", "ls", "mkdir"),
      ...debian("mv", "rm", "rmdir", "sync"),
      ...postgresql("initdb", "pg_ctl", "pg_isready", "postgres", "psql"),
    ],
    writes: [databaseFolder, "/var/run/postgresql", "/run/postgresql"],
    secrets: ["/etc/postgresql-secrets"],
  },
  {
    part: "release_outcome",
    namespace: "inventory",
    containers: ["outcome"],
    programs: pythons,
    scripts: ["/etc/release"],
    token: true,
  },
  {
    part: "gateway",
    namespace: "gateway",
    containers: ["traefik"],
    // Upstream's image starts it by a script of busybox's shell.
    programs: ["/usr/local/bin/traefik", "/bin/busybox"],
    token: true,
  },
  {
    part: "releases",
    namespace: "delivery",
    containers: ["argo-rollouts"],
    programs: ["/bin/rollouts-controller"],
    writes: ["/home/argo-rollouts/plugin-bin"],
    token: true,
  },
  {
    part: "measurements",
    namespace: "monitoring",
    containers: ["prometheus"],
    programs: ["/bin/prometheus"],
    writes: ["/prometheus"],
    token: true,
  },
  {
    part: "alerts",
    namespace: "monitoring",
    containers: ["alertmanager"],
    programs: ["/bin/alertmanager"],
    writes: ["/alertmanager"],
    secrets: ["/etc/alertmanager-secrets"],
  },
  {
    part: "logs",
    namespace: "monitoring",
    containers: ["loki"],
    programs: ["/usr/bin/loki"],
    writes: ["/loki"],
  },
  {
    part: "github_audit",
    namespace: "monitoring",
    containers: ["github-audit"],
    programs: pythons,
    scripts: ["/etc/github-audit"],
  },
  {
    part: "log_collector",
    namespace: "logging",
    containers: ["promtail"],
    programs: ["/usr/bin/promtail"],
    writes: ["/var/lib/promtail"],
    node: true,
  },
  {
    part: "event_receiver",
    namespace: "falco",
    containers: ["receiver"],
    programs: pythons,
    scripts: ["/etc/falco-receiver"],
  },
  {
    part: "unsealing",
    namespace: "sealing",
    containers: ["sealed-secrets"],
    programs: ["/usr/local/bin/controller"],
    token: true,
  },
  { part: "sensor", namespace: "falco", containers: ["falco"], programs: ["/usr/bin/falco"], node: true },
  {
    part: "cluster_backup",
    namespace: "backup",
    containers: ["velero", "plugin-for-aws"],
    programs: ["/velero", "/plugins/velero-plugin-for-aws", "/bin/cp-plugin"],
    // Programs are run from `/plugins`, where the server cannot write.
    writes: ["/scratch", "/target"],
    token: true,
  },
  {
    part: "backup_agent",
    namespace: "backup",
    containers: ["node-agent"],
    programs: ["/velero"],
    writes: ["/scratch"],
    token: true,
    node: true,
  },
  {
    part: "volume_mover",
    namespace: "backup",
    containers: [],
    component: "volume-mover",
    programs: ["/velero"],
    // Its volume is mounted under a name of its own, and written to when it is restored.
    writesAnywhere: true,
    token: true,
    node: true,
  },
  {
    part: "store_maintenance",
    namespace: "backup",
    containers: [],
    component: "store-maintenance",
    programs: ["/velero"],
    writes: ["/scratch"],
    token: true,
  },
];
