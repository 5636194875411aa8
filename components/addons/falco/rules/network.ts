import type { Rule } from "./rule";

/** Connections that no flow allows. The network refuses them; that somebody tries is an event. */
export const networkRules: readonly Rule[] = [
  {
    rule: "MetadataServiceReached",
    description: "A container asked the cloud's metadata service, which hands out the node's rights.",
    action: "Delete the Pod; exchange the node's role if the answer was one.",
    condition: "platform and connected and fd.snet in (169.254.0.0/16, fd00:ec2::254/128)",
    evidence: ["fd.name", "fd.sip", "fd.sport"],
    priority: "CRITICAL",
    techniques: ["T1552.005"],
  },
  {
    rule: "UnexpectedConnection",
    description: "A container connected to where no flow of the platform leads.",
    action: "Compare with components/cluster/flows.md; if nothing there is missing, delete the Pod.",
    condition: "platform and connected and not expected_connection",
    evidence: ["fd.name", "fd.sip", "fd.sport", "fd.l4proto"],
    priority: "ERROR",
    techniques: ["T1041", "T1571"],
  },
  {
    rule: "UnexpectedListener",
    description: "A container listens on a port that no flow of the platform leads to.",
    action: "Compare with components/cluster/flows.md; if nothing there is missing, delete the Pod.",
    condition:
      "platform and evt.type = listen and fd.sport > 0 and not expected_listener and " +
      "not fd.snet in (loopback_ranges)",
    evidence: ["fd.name", "fd.sport"],
    priority: "ERROR",
    techniques: ["T1571", "T1205"],
  },
];
