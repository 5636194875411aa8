import type { Rule } from "./rule";

/** Programs that the platform's containers do not run. */
export const programRules: readonly Rule[] = [
  {
    rule: "DroppedProgram",
    description: "A program ran that is not part of the container's image.",
    action:
      "Take the Pod off the network and keep it: label it out of its Service, copy the file from its volume, then delete it.",
    condition:
      "spawned and platform and (proc.is_exe_upper_layer = true or proc.exepath pmatch (dropped_folders))",
    evidence: ["proc.is_exe_upper_layer", "proc.exe_ino.mtime"],
    priority: "CRITICAL",
    techniques: ["T1105", "T1036"],
  },
  {
    rule: "ProgramFromMemory",
    description: "A program ran that is in no file.",
    action: "Take the Pod off the network and keep its memory if you can; then delete it and release anew.",
    condition: "spawned and platform and proc.is_exe_from_memfd = true",
    evidence: ["proc.is_exe_from_memfd"],
    priority: "CRITICAL",
    techniques: ["T1620"],
  },
  {
    rule: "DatabaseStartsProgram",
    description: "The database server started a program, as COPY ... FROM PROGRAM does.",
    action: "Look for the statement in the database's log, and for whoever has the superuser's password.",
    condition: "spawned and in_database and proc.pname = postgres",
    evidence: [],
    priority: "CRITICAL",
    techniques: ["T1059.004", "T1190"],
  },
  {
    rule: "ShellInContainer",
    description: "A shell ran in a container that has no use for one, or not for this one.",
    action: "Ask who opened a session: the audit log has every exec. If nobody did, delete the Pod.",
    condition:
      "spawned and platform and (proc.name in (shells) or proc.exepath endswith /busybox) and not expected_shell",
    evidence: ["proc.tty"],
    priority: "CRITICAL",
    techniques: ["T1059.004", "T1609"],
  },
  {
    rule: "UnexpectedPythonCode",
    description: "Python was started with other code than the container's own.",
    action: "Read the command; if no release brought it, delete the Pod and look for what started it.",
    condition: "spawned and platform and proc.exepath in (pythons) and not expected_script",
    evidence: [],
    priority: "CRITICAL",
    techniques: ["T1059.006"],
  },
  {
    rule: "CryptoMining",
    description: "A program mines a currency, or talks to those who do.",
    action: "Delete the Pod, and look at what its image was built from.",
    condition:
      "(spawned and (proc.name in (xmrig, xmr-stak, minerd, cpuminer, ethminer) or " +
      'proc.cmdline contains "stratum+")) or ' +
      "(connected and fd.sport in (mining_ports) and not fd.snet in (private_ranges))",
    evidence: ["fd.name"],
    priority: "CRITICAL",
    techniques: ["T1496"],
  },
  {
    rule: "NetworkTool",
    description: "A program ran that looks around in networks or moves files over them.",
    action: "Ask who opened a session in the container; if nobody did, delete the Pod.",
    condition:
      "spawned and platform and proc.name in (nc, ncat, netcat, nc.openbsd, nc.traditional, nmap, socat, curl, " +
      "wget, ssh, scp, sftp, rsync, telnet, ftp, tcpdump, tshark, dig, nslookup, host, masscan, kubectl, crictl, " +
      "ctr, nerdctl, nsenter)",
    evidence: [],
    priority: "ERROR",
    techniques: ["T1046", "T1105"],
  },
  {
    rule: "PackageManager",
    description: "A package manager ran: images are built, never changed where they run.",
    action: "Ask who opened a session in the container; what is missing belongs into the image.",
    condition:
      "spawned and platform and proc.name in (apt, apt-get, dpkg, apk, yum, dnf, microdnf, rpm, pip, pip3, uv, npm, " +
      "gem, cargo)",
    evidence: [],
    priority: "ERROR",
    techniques: ["T1072"],
  },
  {
    rule: "UnexpectedProgram",
    description: "A program ran that the container's profile does not have.",
    action:
      "If a release brought it, add it to components/addons/falco/rules/profiles.ts; else delete the Pod.",
    condition: "spawned and platform and not expected_program",
    evidence: [],
    priority: "ERROR",
    techniques: ["T1059"],
  },
  {
    rule: "TerminalAttached",
    description: "Somebody works at a terminal in a container.",
    action:
      "Ask who: the audit log has every exec and attach. The groups that may are in technova:cluster.access.",
    condition: "spawned and platform and proc.tty != 0",
    evidence: ["proc.tty"],
    priority: "WARNING",
    techniques: ["T1609"],
  },
];
