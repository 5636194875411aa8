import { existsSync, readFileSync } from "node:fs";
import { network } from "./network";
import { execInNode } from "./node";
import type { ClusterPaths } from "./paths";

/** Name servers of the machine that the node can reach: not those on a loopback address. */
export function reachableResolvers(resolvConf: string): string {
  const lines = resolvConf.split("\n").filter((line) => {
    const server = /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
    return server === undefined || !(server.startsWith("127.") || server === "::1");
  });
  return `${lines.join("\n").trimEnd()}\n`;
}

const hosts = `127.0.0.1 localhost\n::1 localhost\n${network.nodeAddress} ${network.nodeName}\n`;

/** What the node has to know of the machine it is on: its name servers and the authorities it trusts. */
export async function ensureNodeFiles(paths: ClusterPaths): Promise<void> {
  // systemd-resolved answers on a loopback address and keeps the real list here.
  const resolver = ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"].find((file) => existsSync(file));
  await put(paths, "/etc/hosts", hosts);
  await put(
    paths,
    "/etc/resolv.conf",
    reachableResolvers(resolver === undefined ? "" : readFileSync(resolver, "utf8")),
  );
  const authorities = [process.env.SSL_CERT_FILE, "/etc/ssl/certs/ca-certificates.crt"].find(
    (file) => file !== undefined && existsSync(file),
  );
  if (authorities !== undefined) {
    await put(paths, "/etc/ssl/certs/ca-certificates.crt", readFileSync(authorities, "utf8"));
  }
}

function put(paths: ClusterPaths, path: string, content: string): Promise<string> {
  return execInNode(paths, ["sh", "-ec", 'mkdir -p "${1%/*}"; cat >"$1"', "put", path], content);
}
