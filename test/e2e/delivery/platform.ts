import { expect } from "chai";
import { kubectl } from "../support/cluster";
import { npmOk, type Outcome } from "../support/command";
import { makeFaultyApp, removeFaultyApp } from "../support/faultyApp";
import { call, gatewayOf, type Gateway } from "../support/gateway";
import { createSubject } from "../support/load";
import { release, strategies, subject } from "../support/releases";

/** The platform under test: what serves, and the next version's number. */
export class Platform {
  /** Version that users have. */
  serving = "1.0.0";
  /** Version that users had before. */
  before = "";
  private last = 0;

  private constructor(readonly gateway: Gateway) {}

  static async bringUp(): Promise<Platform> {
    await npmOk("cluster", "up");
    const { code, output } = await release({ version: "1.0.0", strategy: strategies.rolling });
    expect(code, output).to.equal(0);
    // With an autoscaler, too, and before it has had its say.
    expect(Number(await rollout("{.status.availableReplicas}")), "Pods that serve").to.be.at.least(2);
    // After the first build, which brings the packages that it is built from.
    makeFaultyApp();
    return Platform.at(await gatewayOf("local"));
  }

  /** A platform that is up already, with its first version. */
  static async at(gateway: Gateway): Promise<Platform> {
    await createSubject(gateway, subject);
    return new Platform(gateway);
  }

  static async takeDown(): Promise<void> {
    removeFaultyApp();
    // All that the stack has is in the cluster, and goes with it; `destroy` is the core suite's to prove.
    await npmOk("cluster", "down");
    await npmOk("pulumi", "stack", "rm", "local", "--force", "--yes", "--preserve-config");
  }

  nextVersion(): string {
    this.last += 1;
    return this.newest;
  }

  /** The last version that was given out. */
  get newest(): string {
    return `1.0.${this.last}`;
  }

  /** Fails unless a command ended well; then the version is the one that users have. */
  succeeded(version: string, { code, output }: Outcome): void {
    expect(code, output).to.equal(0);
    this.before = this.serving;
    this.serving = version;
  }

  /** Versions that answer users now. */
  async answering(): Promise<string[]> {
    const version = async () => (await call(this.gateway, "GET", "/healthz")).headers["x-inventory-version"];
    const found = await Promise.all(Array.from({ length: 40 }, version));
    return [...new Set(found.map(String))];
  }

  /** Units on hand of what the load books. */
  async onHand(): Promise<number> {
    const { text } = await call(this.gateway, "GET", `/api/v1/items/${subject.sku}/stock`);
    return Number((JSON.parse(text) as { total: string }).total);
  }
}

/** A field of the Rollout, such as `{.status.phase}`. */
export const rollout = (path: string): Promise<string> =>
  kubectl("get", "rollout", "inventory", "-n", "inventory", "-o", `jsonpath=${path}`);

/** Waits until something is so; fails with what was found instead. */
export async function eventually<T>(
  what: string,
  seconds: number,
  look: () => Promise<T>,
  isSo: (found: T) => boolean,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (isSo(found)) return found;
    if (Date.now() > end)
      throw new Error(`${what}: not within ${seconds} s; there is ${JSON.stringify(found)}`);
    await new Promise((wake) => setTimeout(wake, 500));
  }
}
