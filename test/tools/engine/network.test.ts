import { expect } from "chai";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { reachable } from "../../../tools/engine/network";

describe("the probe of the network", () => {
  it("notices within 4 seconds that nobody answers", async () => {
    // Accepts connections and never says a word, as a firewall that drops packets does.
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const started = Date.now();
    expect(await reachable(`http://127.0.0.1:${port}/`)).to.equal(false);
    expect(Date.now() - started).to.be.within(2_000, 4_000);
    silent.close();
  });

  it("notices at once that a name does not exist, and asks only once", async () => {
    const started = Date.now();
    const first = reachable("https://nowhere.invalid/");
    expect(reachable("https://nowhere.invalid/")).to.equal(first);
    expect(await first).to.equal(false);
    expect(Date.now() - started).to.be.lessThan(3_000);
  });
});
