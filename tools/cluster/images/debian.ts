import { readFileSync } from "node:fs";
import { join } from "node:path";
import { images, type Image } from "../../../components/images";
import { exec } from "../exec";
import type { PackageSet } from "../packages";
import { certificateBundle } from "./certificates";
import { folderEntries, type LayerEntry } from "./layer";
import type { ImageConfig } from "./layout";

export interface DebianImage {
  readonly image: Image;
  readonly packages: PackageSet;
  /** The package that the image is about. */
  readonly content: string;
  readonly config: ImageConfig;
  /** Changes with what `entries` adds to the packages. */
  readonly key: string;
  readonly entries: (folder: string, report: (text: string) => void) => Promise<LayerEntry[]>;
}

const entrypoint = join(__dirname, "postgres-entrypoint.sh");

/** Left out of every image: tools for packages that have no business in one. */
const packaging = [
  "debconf",
  "perl-base",
  "perl",
  "perl-modules-5.36",
  "libperl5.36",
  "ucf",
  "sensible-utils",
];

const python: DebianImage = {
  image: images.python,
  content: "python3.11",
  packages: {
    name: "image-python",
    include: [
      ...["python3", "python3-venv", "python3-pip", "ca-certificates", "tzdata", "netbase", "media-types"],
      ...[
        "bash",
        "dash",
        "coreutils",
        "findutils",
        "grep",
        "sed",
        "tar",
        "gzip",
        "passwd",
        "login",
        "libc-bin",
        "mawk",
      ],
    ],
    exclude: [
      ...packaging,
      "adduser",
      "init-system-helpers",
      "libsemanage2",
      "libsepol2",
      "libsemanage-common",
    ],
    prune: [
      "./usr/share/perl*",
      "./usr/share/pixmaps/*",
      "./usr/lib/python3*/test/*",
      "./usr/share/zoneinfo/right/*",
    ],
  },
  config: { cmd: ["python3"], env: { LANG: "C.UTF-8" } },
  key: "2",
  entries: async (folder, report) => {
    report("compiling Python's library");
    // A read-only container cannot keep what it compiles. Hashes instead of times keep the bytes the same.
    await exec("chroot", [
      ...[folder, "/usr/bin/python3.11", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"],
      ...["-o", "0", "/usr/lib/python3.11", "/usr/lib/python3/dist-packages"],
    ]);
    return [
      ...base(folder, []),
      ...["python", "python3", "python3.11"].map((name) =>
        link(`usr/local/bin/${name}`, "/usr/bin/python3.11"),
      ),
      ...["pip", "pip3"].map((name) => link(`usr/local/bin/${name}`, "/usr/bin/pip3")),
    ].filter((entry) => entry.path !== "usr/lib/python3.11/EXTERNALLY-MANAGED");
  },
};

const postgres: DebianImage = {
  image: images.postgres,
  content: "postgresql-15",
  packages: {
    name: "image-postgres",
    include: [
      ...[
        "postgresql-15",
        "tzdata",
        "bash",
        "dash",
        "coreutils",
        "findutils",
        "grep",
        "sed",
        "gzip",
        "libc-bin",
      ],
      ...["netbase", "ca-certificates"],
    ],
    exclude: [
      ...packaging,
      ...["postgresql-common", "postgresql-client-common", "ssl-cert", "adduser", "passwd", "libjson-perl"],
      // Just-in-time compilation: 100 MB for queries of a size that no inventory has.
      ...[
        "libllvm14",
        "libz3-4",
        "python3",
        "libpython3-stdlib",
        "python3-minimal",
        "lsb-base",
        "lsb-release",
      ],
      ...["libipc-run-perl", "libio-pty-perl", "init-system-helpers", "sysvinit-utils", "openssl", "locales"],
    ],
    prune: [
      "./usr/share/perl*",
      "./usr/share/zoneinfo/right/*",
      "./usr/lib/postgresql/15/lib/bitcode/*",
      "./usr/lib/postgresql/15/lib/llvmjit*",
    ],
  },
  config: {
    entrypoint: ["docker-entrypoint.sh"],
    cmd: ["postgres"],
    user: "999:999",
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin",
      LANG: "C.UTF-8",
      PGDATA: "/var/lib/postgresql/data",
      PG_MAJOR: "15",
    },
    exposedPorts: ["5432/tcp"],
    volumes: ["/var/lib/postgresql/data"],
    stopSignal: "SIGINT",
  },
  key: readFileSync(entrypoint, "utf8"),
  entries: async (folder) => [
    ...base(folder, ["postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/bash"]),
    { path: "usr/local/bin/docker-entrypoint.sh", type: "copy", mode: 0o755, source: entrypoint },
    { path: "docker-entrypoint-initdb.d", type: "directory" },
    { path: "var/lib/postgresql", type: "directory", uid: 999, gid: 999 },
    { path: "var/lib/postgresql/data", type: "directory", uid: 999, gid: 999, mode: 0o700 },
    { path: "run/postgresql", type: "directory", uid: 999, gid: 999, mode: 0o2775 },
  ],
};

const busybox: DebianImage = {
  image: { registry: "docker.io", repository: "library/busybox", version: "1.35.0" },
  content: "busybox-static",
  packages: {
    name: "image-busybox",
    include: ["busybox-static"],
    exclude: ["libc6", "libgcc-s1", "gcc-12-base", "libcrypt1"],
  },
  config: { cmd: ["sh"] },
  key: "1",
  entries: async (folder) => {
    const applets = (await exec("chroot", [folder, "/bin/busybox", "--list"])).trim().split("\n");
    return [
      { path: "bin", type: "directory" },
      { path: "bin/busybox", type: "copy", mode: 0o755, source: join(folder, "bin/busybox") },
      ...applets.filter((name) => name !== "busybox").map((name) => link(`bin/${name}`, "busybox")),
      { path: "tmp", type: "directory", mode: 0o1777 },
      { path: "etc", type: "directory" },
      { path: "etc/passwd", type: "file", content: "root:x:0:0:root:/root:/bin/sh\n" },
      { path: "etc/group", type: "file", content: "root:x:0:\n" },
    ];
  },
};

export const debianImages = { python, postgres, busybox } as const;

/** What Debian's maintainer scripts would have made. */
function base(folder: string, users: readonly string[]): LayerEntry[] {
  const passwd = [
    "root:x:0:0:root:/root:/bin/bash",
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
  ];
  const groups = ["root:x:0:", "nogroup:x:65534:"];
  const group = (user: string) => `${user.split(":")[0]}:x:${user.split(":")[3]}:`;
  return [
    ...folderEntries(folder, (path) => path === ".packages"),
    { path: "etc/passwd", type: "file", content: `${[...passwd, ...users].join("\n")}\n` },
    { path: "etc/group", type: "file", content: `${[...groups, ...users.map(group)].join("\n")}\n` },
    {
      path: "etc/nsswitch.conf",
      type: "file",
      content: "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
    },
    { path: "etc/shadow", type: "file", mode: 0o640, content: "root:*:19000:0:99999:7:::\n" },
    { path: "etc/ssl/certs/ca-certificates.crt", type: "file", content: certificateBundle(folder) },
    // OpenSSL's default file; Debian's own default is a folder of links by hash.
    { path: "usr/lib/ssl", type: "directory" },
    link("usr/lib/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt"),
    { path: "root", type: "directory", mode: 0o700 },
    { path: "tmp", type: "directory", mode: 0o1777 },
    { path: "run", type: "directory" },
    { path: "proc", type: "directory" },
    { path: "sys", type: "directory" },
    { path: "dev", type: "directory" },
    { path: "home", type: "directory" },
    { path: "var", type: "directory" },
    { path: "var/tmp", type: "directory", mode: 0o1777 },
    link("var/run", "/run"),
    link("etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
  ];
}

function link(path: string, target: string): LayerEntry {
  return { path, type: "symlink", target };
}
