/** How values of a field are compared. */
export type FieldType = "text" | "number" | "flag" | "address" | "network";

/**
 * Fields of Falco 0.44.1 that rules may use, with their types: those of libs 0.25.4 (`falco --list=syscall`, or
 * userspace/libsinsp/sinsp_filtercheck_*.cpp) and of the plugin `container` 0.7.1 (its README's table).
 * https://falco.org/docs/reference/rules/supported-fields/
 */
export const fields: Readonly<Record<string, FieldType>> = {
  "evt.type": "text",
  "evt.args": "text",
  "evt.res": "text",
  "evt.rawres": "number",
  "evt.is_open_read": "flag",
  "evt.is_open_write": "flag",
  "evt.is_open_exec": "flag",
  "evt.arg.cmd": "text",
  "evt.arg.flags": "text",
  "evt.arg.mode": "text",
  "evt.arg.request": "text",
  "proc.name": "text",
  "proc.exepath": "text",
  "proc.exe_ino.mtime": "number",
  "proc.pname": "text",
  "proc.args": "text",
  "proc.cmdline": "text",
  "proc.pid": "number",
  "proc.vpid": "number",
  "proc.tty": "number",
  "proc.is_exe_upper_layer": "flag",
  "proc.is_exe_from_memfd": "flag",
  "thread.cap_effective": "text",
  "user.uid": "number",
  "fd.name": "text",
  "fd.typechar": "text",
  "fd.sport": "number",
  "fd.sip": "address",
  "fd.snet": "network",
  "fd.l4proto": "text",
  "fs.path.name": "text",
  "fs.path.source": "text",
  "fs.path.target": "text",
  "container.id": "text",
  "container.name": "text",
  "container.image.repository": "text",
  "container.image.tag": "text",
  "container.privileged": "flag",
  "container.host_pid": "flag",
  "container.host_network": "flag",
  "container.host_ipc": "flag",
  "container.mounts": "text",
  "container.mount.dest": "text",
  "k8s.ns.name": "text",
  "k8s.pod.name": "text",
  "k8s.pod.label": "text",
};

/** System calls that rules may ask for, as `falco --list-events` and libs' table of generic events have them. */
export const eventTypes: ReadonlySet<string> = new Set([
  ...["execve", "execveat", "open", "openat", "openat2", "open_by_handle_at", "creat"],
  ...["unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"],
  ...["chmod", "fchmod", "fchmodat", "connect", "listen", "sendto", "sendmsg", "sendmmsg"],
  ...["unshare", "setns", "clone", "clone3", "ptrace", "process_vm_writev", "bpf"],
  ...["mount", "umount", "umount2", "pivot_root", "move_mount", "fsopen", "open_tree"],
  ...["init_module", "finit_module", "delete_module"],
]);

/** Fields that need an argument in brackets. */
export const withArgument: ReadonlySet<string> = new Set(["container.mount.dest", "k8s.pod.label"]);

const textOperators = [
  "=",
  "==",
  "!=",
  "in",
  "contains",
  "icontains",
  "startswith",
  "endswith",
  "glob",
  "pmatch",
];
const numberOperators = ["=", "==", "!=", "in", "<", "<=", ">", ">="];

/** What values of a type can be asked, beyond `exists`. */
export const operatorsOf: Readonly<Record<FieldType, readonly string[]>> = {
  text: textOperators,
  number: numberOperators,
  flag: ["=", "==", "!="],
  address: ["=", "==", "!=", "in"],
  network: ["=", "==", "!=", "in"],
};
