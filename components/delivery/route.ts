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
  /** Where requests go that ask for the version that is being released. */
  readonly testBackends?: readonly Backend[];
}

/** Header by which testers ask for the version that is being released. */
export const testHeader = { name: "X-Release", value: "canary" } as const;

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
            rule(args.backends),
            ...(args.testBackends === undefined
              ? []
              : [rule(args.testBackends, [{ type: "Exact", ...testHeader }])]),
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

/** The more particular of two rules wins, so that one with a header goes before one without. */
function rule(backendRefs: readonly Backend[], headers?: readonly object[]) {
  const paths = [{ path: { type: "PathPrefix", value: "/api" } }, ...publicPaths.map(exact)];
  return {
    matches: headers === undefined ? paths : paths.map((path) => ({ ...path, headers })),
    filters: [
      {
        type: "ResponseHeaderModifier",
        responseHeaderModifier: {
          set: Object.entries(securityHeaders).map(([header, value]) => ({ name: header, value })),
          remove: ["Server"],
        },
      },
    ],
    backendRefs,
  };
}

function exact(value: string) {
  return { path: { type: "Exact", value } };
}
