import { readFileSync, writeFileSync } from "node:fs";
import { readJson, writeAtomically } from "./files";
import type { ClusterPaths } from "./paths";

/** What `down` has to put back on the machine, and what it needs for that. */
interface MachineState {
  /** Value of net.ipv4.ip_forward before the node needed it to be 1. */
  readonly ipForward: string;
  /** Folder of the node's packages: they hold the program that removes the packet filter's rules. */
  readonly packages: string;
}

const ipForward = "/proc/sys/net/ipv4/ip_forward";

/** Notes how the machine was, once: a later `up` of the same cluster finds it changed already. */
export function noteMachineState(paths: ClusterPaths, packages: string): void {
  const known = readJson<MachineState>(paths.state);
  const state: MachineState = {
    ipForward: known?.ipForward ?? readFileSync(ipForward, "utf8").trim(),
    packages,
  };
  writeAtomically(paths.state, JSON.stringify(state));
}

export function machineState(paths: ClusterPaths): MachineState | undefined {
  return readJson<MachineState>(paths.state);
}

/** Lets the machine pass on the node's packets to the outside. */
export function enableForwarding(): void {
  if (readFileSync(ipForward, "utf8").trim() !== "1") writeFileSync(ipForward, "1");
}

export function restoreForwarding(state: MachineState): void {
  if (readFileSync(ipForward, "utf8").trim() !== state.ipForward) writeFileSync(ipForward, state.ipForward);
}
