import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Component } from "./components/component";
import { writeIfChanged } from "./files";
import { kubeconfig } from "./kubeconfig";
import { ensurePki } from "./pki";
import type { ClusterPaths } from "./paths";

const kubeconfigUsers = ["controller-manager", "scheduler", "kubelet", "kube-proxy", "kube-router"];

/** Writes keys, certificates and client configurations; returns a fingerprint of all certificates. */
export async function ensureIdentities(paths: ClusterPaths): Promise<string> {
  await ensurePki(paths.pki);
  for (const user of kubeconfigUsers) {
    writeIfChanged(join(paths.config, `${user}.kubeconfig`), kubeconfig(paths.pki, user), 0o600);
  }
  const hash = createHash("sha256");
  for (const file of readdirSync(paths.pki).sort()) {
    if (file.endsWith(".crt")) hash.update(readFileSync(join(paths.pki, file)));
  }
  return hash.digest("hex");
}

/** Writes a component's files; returns a fingerprint that changes when the component has to start anew. */
export function ensureFiles(paths: ClusterPaths, component: Component, identities: string): string {
  const hash = createHash("sha256").update(identities);
  for (const [name, content] of Object.entries(component.files ?? {})) {
    writeIfChanged(join(paths.config, name), content);
    hash.update(name).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}
