import { profiles, pythons, scratch, shells, type Profile } from "./profiles";
import { anyOf, valueList, type List, type Macro } from "./rule";

const listOf = (what: string, { part }: Profile) => `${what}_of_${part}`;
const macroOf = ({ part }: Profile) => `in_${part}`;

/** Lists of each part of the platform, and those that have no part. */
export function lists(namespaces: readonly string[]): List[] {
  return [
    { list: "platform_namespaces", items: namespaces },
    { list: "shells", items: shells },
    { list: "pythons", items: pythons },
    { list: "scratch", items: scratch },
    { list: "binary_folders", items: ["/bin", "/sbin", "/lib", "/lib64", "/usr", "/opt"] },
    // Where nothing is that an image brought.
    {
      list: "dropped_folders",
      items: [
        ...["/tmp", "/var/tmp", "/dev/shm", "/run", "/var/run"],
        ...new Set(profiles.flatMap(({ writes = [] }) => writes)),
      ],
    },
    { list: "secret_folders", items: [...new Set(profiles.flatMap(({ secrets = [] }) => secrets))] },
    {
      list: "token_folders",
      items: ["/var/run/secrets/kubernetes.io", "/run/secrets/kubernetes.io"],
    },
    // What starts containers, as the kernel names it: 15 characters at most.
    {
      list: "container_starters",
      items: ["runc", "runc:[0:PARENT]", "runc:[1:CHILD]", "crun", "containerd-shim", "conmon"],
    },
    // A script of the database's start, and what it starts.
    { list: "shell_parents", items: [...shells, "docker-entrypoi", "entrypoint.sh", "initdb", "pg_ctl"] },
    // Where pools of the usual currencies listen.
    {
      list: "mining_ports",
      items: [3333, 3334, 3335, 4444, 14433, 14444, 45560, 45700],
    },
    {
      list: "private_ranges",
      items: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"],
    },
    { list: "loopback_ranges", items: ["127.0.0.0/8", "::1/128"] },
    ...profiles.flatMap((profile) => [
      { list: listOf("programs", profile), items: profile.programs },
      ...optional(listOf("folders", profile), profile.writes),
      ...optional(listOf("secrets", profile), profile.secrets),
    ]),
  ];
}

function optional(list: string, items: readonly string[] | undefined): List[] {
  return items === undefined ? [] : [{ list, items }];
}

/** Conditions that the rules have in common; one that uses another comes after it. */
export const macros: readonly Macro[] = [
  // What the runtime does in a container before the container's own program runs.
  {
    macro: "container_setup",
    condition:
      "proc.name startswith runc and proc.pname in (container_starters) and not proc.exepath pmatch (dropped_folders)",
  },
  { macro: "platform", condition: "container.id != host and k8s.ns.name in (platform_namespaces)" },
  {
    macro: "spawned",
    condition: "evt.type in (execve, execveat) and evt.rawres >= 0 and not container_setup",
  },
  { macro: "opened", condition: "evt.type in (open, openat, openat2, open_by_handle_at)" },
  // Whether it succeeds or not: who tries to write to a read-only place has left the profile.
  { macro: "written", condition: "(opened and evt.is_open_write = true) or evt.type = creat" },
  { macro: "read", condition: "opened and evt.is_open_read = true and evt.rawres >= 0" },
  {
    macro: "connected",
    condition:
      "(evt.type = connect or (evt.type in (sendto, sendmsg, sendmmsg) and fd.l4proto = udp)) and " +
      "fd.typechar in (4, 6) and fd.sport > 0 and " +
      "not fd.snet in (loopback_ranges) and (evt.rawres >= 0 or evt.res = EINPROGRESS)",
  },
  ...profiles.map((profile) => ({
    macro: macroOf(profile),
    condition: `k8s.ns.name = ${profile.namespace} and ${ownContainer(profile)}`,
  })),
  {
    macro: "looks_into_node",
    condition: anyOf(profiles.filter(({ node }) => node === true).map(macroOf)),
  },
  {
    macro: "expected_program",
    condition: anyOf(profiles.map((each) => ownProgram(each))),
  },
  {
    macro: "expected_script",
    condition: anyOf(
      profiles.flatMap((profile) =>
        (profile.scripts ?? []).map((script) => `${macroOf(profile)} and proc.args startswith "${script}"`),
      ),
    ),
  },
  // In a container that has a shell: the script that it starts with, and the shells that this starts.
  {
    macro: "expected_shell",
    condition: "expected_program and (proc.vpid = 1 or proc.pname in (shell_parents))",
  },
  {
    macro: "expected_write",
    condition: anyOf([
      "fd.name pmatch (scratch)",
      ...profiles.filter(({ writesAnywhere }) => writesAnywhere === true).map(macroOf),
      ...profiles
        .filter(({ writes }) => writes !== undefined)
        .map((profile) => `${macroOf(profile)} and fd.name pmatch (${listOf("folders", profile)})`),
    ]),
  },
  {
    macro: "expected_token_reader",
    condition: anyOf(profiles.filter(({ token }) => token === true).map((each) => ownProgram(each))),
  },
  {
    macro: "expected_secret_reader",
    condition: anyOf(
      profiles
        .filter(({ secrets }) => secrets !== undefined)
        .map((each) => `${ownProgram(each)} and fd.name pmatch (${listOf("secrets", each)})`),
    ),
  },
];

function ownContainer({ containers, component }: Profile): string {
  return component === undefined
    ? `container.name in ${valueList(containers)}`
    : `k8s.pod.label[app.kubernetes.io/component] = ${component}`;
}

function ownProgram(profile: Profile): string {
  return `${macroOf(profile)} and proc.exepath in (${listOf("programs", profile)})`;
}
