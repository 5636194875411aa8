import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import * as pulumi from "@pulumi/pulumi";
import type { ParentReference } from "../addons/gateway";
import { labels, type Identity } from "../labels";
import type { Backend } from "./strategy";

export interface RouteArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
  readonly hostname: string;
  readonly gateway: ParentReference;
  readonly backends: readonly Backend[];
}

/** Headers that tell browsers to be careful. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Content-Security-Policy": "frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** Brings a host's requests from the gateway to the application. */
export class Route extends pulumi.ComponentResource {
  constructor(name: string, args: RouteArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Route", name, {}, opts);
    new CustomResource(
      `${name}-route`,
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { namespace: args.namespace, labels: labels(args.identity) },
        spec: {
          parentRefs: [args.gateway],
          hostnames: [args.hostname],
          rules: [
            {
              matches: [{ path: { type: "PathPrefix", value: "/api" } }, ...publicPaths.map(exact)],
              filters: [
                {
                  type: "ResponseHeaderModifier",
                  responseHeaderModifier: {
                    set: Object.entries(securityHeaders).map(([header, value]) => ({ name: header, value })),
                    remove: ["Server"],
                  },
                },
              ],
              backendRefs: args.backends,
            },
          ],
        },
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}

/** What is reached from outside besides the API itself. `/metrics` is not: it is for the monitoring in the cluster. */
const publicPaths = ["/healthz", "/readyz"];

function exact(value: string) {
  return { path: { type: "Exact", value } };
}
