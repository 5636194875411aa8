import type { Rule } from "./rule";

/** Files that the platform's containers neither read nor write. */
export const fileRules: readonly Rule[] = [
  {
    rule: "KernelSettingWritten",
    description:
      "A container tried to write to the kernel's settings, of which some run programs on the node.",
    action: "Treat the node as taken over: cordon it, move its Pods, and exchange it.",
    condition:
      "platform and written and (fd.name pmatch (/proc/sys, /sys, /proc/sysrq-trigger) or " +
      "fd.name endswith /release_agent or fd.name endswith /core_pattern) and not container_setup",
    evidence: ["fd.name", "evt.res"],
    priority: "CRITICAL",
    techniques: ["T1611"],
  },
  {
    rule: "ServiceAccountTokenRead",
    description: "The token of a Pod's account was read by a program that has no use for it.",
    action: "Delete the Pod, which ends its token, and look for requests of its account in the audit log.",
    condition: "platform and read and fd.name pmatch (token_folders) and not expected_token_reader",
    evidence: ["fd.name"],
    priority: "CRITICAL",
    techniques: ["T1528", "T1552.001"],
  },
  {
    rule: "SecretRead",
    description: "A Secret's file was read by another program than the one it was mounted for.",
    action: "Exchange the Secret: another value in the stack's settings, and a release.",
    condition: "platform and read and fd.name pmatch (secret_folders) and not expected_secret_reader",
    evidence: ["fd.name"],
    priority: "CRITICAL",
    techniques: ["T1552.001"],
  },
  {
    rule: "CredentialFileRead",
    description: "A file with passwords or keys of a system, or another process's environment, was read.",
    action: "Delete the Pod; if the file is one of the node, exchange the node and its keys.",
    condition:
      "platform and read and (fd.name in (/etc/shadow, /etc/gshadow, /etc/sudoers) or " +
      "fd.name pmatch (/root/.ssh, /etc/kubernetes, /var/lib/kubelet, /host/etc/kubernetes) or " +
      "fd.name glob /proc/*/environ or fd.name glob */.ssh/id_*)",
    evidence: ["fd.name"],
    priority: "CRITICAL",
    techniques: ["T1003.008", "T1552.001"],
  },
  {
    rule: "LogAltered",
    description: "A log of the node or the API server's audit trail was removed, renamed or emptied.",
    action: "Compare with what was shipped before; treat the node as taken over until somebody owns up.",
    condition:
      "((evt.type in (unlink, unlinkat) and fs.path.name pmatch (/var/log, /host/var/log)) or " +
      "(evt.type in (rename, renameat, renameat2) and fs.path.source pmatch (/var/log, /host/var/log)) or " +
      "(written and evt.arg.flags contains O_TRUNC and fd.name pmatch (/var/log, /host/var/log))) and " +
      "not (container.id = host and proc.name in (kubelet, kube-apiserver, containerd, containerd-shim, " +
      "systemd-journal, systemd-tmpfile, rsyslogd, logrotate, dpkg, apt-get, unattended-upgr)) and " +
      "not (k8s.ns.name = kube-system and proc.name = kube-apiserver)",
    evidence: ["fs.path.name", "fs.path.source", "fd.name"],
    priority: "CRITICAL",
    techniques: ["T1070.002"],
  },
  {
    rule: "BinaryFolderChanged",
    description: "Somebody tried to change a folder with programs or libraries.",
    action: "Delete the Pod; images are built, never changed where they run.",
    condition:
      "platform and ((written and fd.name pmatch (binary_folders)) or " +
      "(evt.type in (rename, renameat, renameat2, link, linkat, symlink, symlinkat) and " +
      "(fs.path.target pmatch (binary_folders) or fs.path.source pmatch (binary_folders))) or " +
      "(evt.type in (unlink, unlinkat, chmod, fchmodat) and fs.path.name pmatch (binary_folders)))",
    evidence: ["fd.name", "fs.path.name", "fs.path.target", "evt.res"],
    priority: "CRITICAL",
    techniques: ["T1554", "T1222.002"],
  },
  {
    rule: "ExecutableWritten",
    description: "Somebody made a file executable in a container, or tried to.",
    action: "Look at the file in the Pod's volume; a program that has to run belongs into the image.",
    condition:
      "platform and ((evt.type in (chmod, fchmod, fchmodat) and evt.arg.mode contains S_IX) or " +
      "(opened and evt.is_open_exec = true)) and " +
      "not (in_database and fs.path.name pmatch (folders_of_database))",
    evidence: ["fs.path.name", "fd.name"],
    priority: "ERROR",
    techniques: ["T1222.002", "T1105"],
  },
  {
    rule: "WriteOutsideOfVolumes",
    description: "A program tried to write to a place that is read-only, or that it has no use for.",
    action: "If a release brought it, give it a volume and a line in the profile; else delete the Pod.",
    condition: "platform and written and not expected_write and not container_setup",
    evidence: ["fd.name", "evt.res"],
    priority: "ERROR",
    techniques: ["T1565.001", "T1105"],
  },
];
