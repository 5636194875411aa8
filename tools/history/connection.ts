import { readFileSync } from "node:fs";
import type { AgentOptions } from "node:https";
import { BlockList, isIP, type Socket } from "node:net";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { HttpsProxyAgent } from "https-proxy-agent";
import { messageOf, UserError } from "../engine/report";

/** Longer than any healthy connection takes, short enough to be no nuisance on a closed network. */
const connectionTimeoutMs = 5_000;

/**
 * How the client for S3 reaches a store: through the proxy and with the authorities that the CLI takes for it, which
 * the client would not look for by itself.
 * @param host what requests go to: the bucket's own host where it has one
 */
export function connection(host: URL, env: NodeJS.ProcessEnv): S3ClientConfig["requestHandler"] {
  // Whoever asks for many objects says how many at once. Time spent waiting for one of few connections would count.
  const agent = { keepAlive: true, maxSockets: Infinity };
  const ca = authorities(env);
  const proxy = proxyFor(host, env);
  return {
    connectionTimeout: connectionTimeoutMs,
    httpAgent: agent,
    httpsAgent: proxy === undefined ? { ...agent, ca } : new ProxyAgent(proxy, { ...agent, ca }),
  };
}

type Connect = Parameters<HttpsProxyAgent<string>["connect"]>;

/** Trusts the same authorities behind the proxy as without one. */
class ProxyAgent extends HttpsProxyAgent<string> {
  private readonly ca: Buffer | undefined;

  constructor(proxy: string, options: AgentOptions & { readonly ca: Buffer | undefined }) {
    super(proxy, options);
    this.ca = options.ca;
  }

  override connect(...[request, options]: Connect): Promise<Socket> {
    return super.connect(request, options.secureEndpoint ? { ...options, ca: this.ca } : options);
  }
}

function authorities({ AWS_CA_BUNDLE: path }: NodeJS.ProcessEnv): Buffer | undefined {
  if (!path) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`The file that AWS_CA_BUNDLE names cannot be read: ${messageOf(error)}`);
  }
}

/**
 * The proxy for an address that is reached by HTTPS: HTTPS_PROXY with the exceptions of NO_PROXY, as programs in Go
 * read them. Undefined for none, and for one of a kind that is not known here.
 */
export function proxyFor(address: URL, env: NodeJS.ProcessEnv): string | undefined {
  const given = env.HTTPS_PROXY || env.https_proxy;
  if (!given || address.protocol !== "https:" || isExempt(address, env.NO_PROXY || env.no_proxy || ""))
    return undefined;
  const proxy = given.includes("://") ? given : `http://${given}`;
  return /^https?:/.test(proxy) ? proxy : undefined;
}

function isExempt({ hostname, port }: URL, exceptions: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))) return true;
  const withPort = new RegExp(`:${port || "443"}$`);
  return exceptions
    .toLowerCase()
    .split(",")
    .map((entry) => entry.trim())
    .some((entry) => covers(isIP(entry) > 0 ? entry : entry.replace(withPort, ""), host));
}

/** Whether an entry of NO_PROXY (`*`, a domain, an address or a network) means a host. */
function covers(entry: string, host: string): boolean {
  if (entry === "" || entry === "*") return entry === "*";
  const [network = "", bits] = entry.split("/");
  if (bits !== undefined) return isInNetwork(host, network, Number(bits));
  if (isIP(host) > 0) return host === entry;
  const below = entry.replace(/^\*?\.?/, ".");
  return host.endsWith(below) || host === entry;
}

function isInNetwork(host: string, network: string, bits: number): boolean {
  const [family, of] = [isIP(host), isIP(network)];
  if (family === 0 || family !== of || !(bits >= 0 && bits <= (of === 4 ? 32 : 128))) return false;
  const kind = of === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, bits, kind);
  return list.check(host, kind);
}
