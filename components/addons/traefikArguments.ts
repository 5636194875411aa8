/** Ports that Traefik listens on. Unprivileged; the Service in front has the well-known ones. */
export const traefikPorts = { http: 8000, https: 8443, metrics: 9100 } as const;

/**
 * How Traefik stops without losing a request. Endpoints lose the Pod when its removal begins; connections that are
 * already there go on being served for `acceptSeconds`, and each answer on a connection older than
 * `connectionSeconds` asks the client to open another, which goes to another Pod. Only then are requests in flight
 * given `graceSeconds` to finish. `acceptSeconds` has to be the larger, so that every busy connection moves in time.
 */
export const traefikShutdown = { connectionSeconds: 20, acceptSeconds: 25, graceSeconds: 30 } as const;

export interface TraefikArgumentsArgs {
  /** Namespaces in which Gateway API objects, Services and certificates are looked for. */
  readonly namespaces: readonly string[];
  /** Proxies in front whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies?: readonly string[];
  /** Whether Traefik's own objects are looked for too: weights that a release sets. */
  readonly ownObjects: boolean;
  /** File with the options that only a file can hold. */
  readonly dynamicFile: string;
}

/** Traefik's static configuration. Its API and dashboard are not in it, which is what keeps them off. */
export function traefikArguments({
  namespaces,
  trustedProxies,
  ownObjects,
  dynamicFile,
}: TraefikArgumentsArgs): string[] {
  const entryPoint = (name: string, port: number) => [
    `--entrypoints.${name}.address=:${port}/tcp`,
    `--entrypoints.${name}.transport.lifecycle.requestacceptgracetimeout=${traefikShutdown.acceptSeconds}s`,
    `--entrypoints.${name}.transport.lifecycle.gracetimeout=${traefikShutdown.graceSeconds}s`,
    `--entrypoints.${name}.transport.keepalivemaxtime=${traefikShutdown.connectionSeconds}s`,
    `--entrypoints.${name}.http.middlewares=${reconnect}@file`,
    ...(trustedProxies === undefined
      ? []
      : [`--entrypoints.${name}.forwardedheaders.trustedips=${trustedProxies.join(",")}`]),
  ];
  return [
    "--global.checknewversion=false",
    "--global.sendanonymoususage=false",
    "--log.level=INFO",
    "--log.format=json",
    "--accesslog=true",
    "--accesslog.format=json",
    // Headers carry API keys: none is logged but the one that ties a request to the service's own log.
    "--accesslog.fields.headers.defaultmode=drop",
    "--accesslog.fields.headers.names.X-Request-Id=keep",
    ...entryPoint("web", traefikPorts.http),
    ...entryPoint("websecure", traefikPorts.https),
    `--entrypoints.metrics.address=:${traefikPorts.metrics}/tcp`,
    "--metrics.prometheus=true",
    "--metrics.prometheus.entrypoint=metrics",
    "--metrics.prometheus.addrouterslabels=true",
    "--ping=true",
    "--ping.entrypoint=metrics",
    // While it drains it is still serving: a load balancer that sees only this node's Pod may go on sending.
    "--ping.terminatingstatuscode=200",
    "--providers.kubernetesgateway=true",
    `--providers.kubernetesgateway.namespaces=${namespaces.join(",")}`,
    "--providers.kubernetesgateway.throttleduration=1s",
    ...(ownObjects
      ? [
          "--providers.kubernetescrd=true",
          `--providers.kubernetescrd.namespaces=${namespaces.join(",")}`,
          "--providers.kubernetescrd.throttleduration=1s",
          // It would read all nodes for Services of a type that nothing here has.
          "--providers.kubernetescrd.disableclusterscoperesources=true",
          // A version without a Pod that is ready costs its own share of the requests, and not every one of the host.
          "--providers.kubernetescrd.allowemptyservices=true",
          "--metrics.prometheus.addserviceslabels=true",
        ]
      : []),
    `--providers.file.filename=${dynamicFile}`,
    "--providers.file.watch=false",
  ];
}

const reconnect = "reconnect";

/**
 * What only a file can say: how TLS is spoken, and what happens to every request. Clients that do not name a host that
 * is served are turned away.
 */
export function traefikFile(minimumVersion: "1.2" | "1.3"): string {
  return JSON.stringify({
    http: {
      middlewares: {
        // Another Pod is asked when one does not take the connection. A request of which a Pod has got anything is
        // never sent again: it may have done what was asked.
        [reconnect]: { retry: { attempts: 3 } },
      },
    },
    tls: {
      options: {
        default: {
          minVersion: minimumVersion === "1.3" ? "VersionTLS13" : "VersionTLS12",
          sniStrict: true,
          cipherSuites: [
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
          ],
        },
      },
    },
  });
}
