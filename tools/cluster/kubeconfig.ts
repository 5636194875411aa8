import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { ports } from "./network";

/** Context that the administrator's client configuration adds. */
export const contextName = "technova-local";

/** Client configuration with the certificate of `user` inside. The API answers on 127.0.0.1 in and out of the node. */
export function kubeconfig(pki: string, user: string): string {
  const embed = (file: string) => readFileSync(join(pki, file)).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": contextName,
    clusters: [
      {
        name: contextName,
        cluster: {
          server: `https://127.0.0.1:${ports.api}`,
          "certificate-authority-data": embed("ca.crt"),
        },
      },
    ],
    users: [
      {
        name: `${contextName}-${user}`,
        user: {
          "client-certificate-data": embed(`${user}.crt`),
          "client-key-data": embed(`${user}.key`),
        },
      },
    ],
    contexts: [{ name: contextName, context: { cluster: contextName, user: `${contextName}-${user}` } }],
  });
}
