import { expect } from "chai";
import { refuseUnapplied } from "../../tools/drift/unapplied";
import { TinyCheckout } from "../support/tinyCheckout";
import { messageOfFailure } from "../tools/engine/support";

const settings = (version: string) => `config:
  tiny:application:
    version: "${version}"
    image: { build: { repository: technova/inventory } }
    length: 8
`;

describe("a repair with settings that no update has applied", function () {
  this.timeout("2m");
  let tiny: TinyCheckout;

  before(async () => {
    tiny = TinyCheckout.create();
    tiny.write("Pulumi.test.yaml", settings("1.0.1"));
    await tiny.up();
  });
  after(() => tiny.remove());

  it("is refused, and says which", async () => {
    tiny.write("Pulumi.test.yaml", settings("1.0.2"));
    const told = await messageOfFailure(() => refuseUnapplied(tiny.root, "test", tiny.env));
    expect(told).to.contain("tiny:application.version").and.to.contain("npm run up -- --stack test");
  });

  it("is not, once they are what was applied", async () => {
    tiny.write("Pulumi.test.yaml", settings("1.0.1"));
    await refuseUnapplied(tiny.root, "test", tiny.env);
  });
});
