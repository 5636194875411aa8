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

/** What Debian's installation would have written, and what the node has to know of its machine. */
export async function ensureNodeFiles(paths: ClusterPaths): Promise<void> {
  // systemd-resolved answers on a loopback address and keeps the real list here.
  const resolver = ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"].find((file) => existsSync(file));
  await put(
    paths,
    "/etc/passwd",
    "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  );
  await put(paths, "/etc/group", "root:x:0:\nnogroup:x:65534:\n");
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
