import type { Running } from "./support/command";
import { forgetFigures } from "./support/figures";
import { faults, type Fault } from "./support/faultyApp";
import { strategies, type StrategyName } from "./support/releases";
import {
  configuration,
  killed,
  prometheusComesBack,
  prometheusStaysAway,
  shareOfCanary,
  undone,
} from "./delivery/disturbances";
import { badRelease, goodRelease, switchStrategy } from "./delivery/outcomes";
import { Platform } from "./delivery/platform";
import { contract, expand, failingMigration } from "./delivery/schema";

const every = Object.keys(strategies) as StrategyName[];

/** Releases that watch themselves, under traffic: what they do goes into the table of `npm run bench -- delivery`. */
describe("delivery", function () {
  this.timeout("20m");

  let platform: Platform;

  before(async () => {
    forgetFigures();
    platform = await Platform.bringUp();
  });
  after(() => Platform.takeDown());

  for (const [index, strategy] of every.entries()) {
    describe(strategy, () => {
      // The platform comes up with the first one.
      if (index > 0) {
        it("takes the place of another strategy, and no Pod is moved and no request fails", () =>
          switchStrategy(platform, strategy));
      }

      it("a good release: no request fails, and every acknowledged write is in the database", () =>
        goodRelease(platform, strategy));

      if (strategy === "blueGreen") it("undo brings the version before back at once", () => undone(platform));

      for (const fault of Object.keys(faults) as Fault[]) {
        it(`a bad release is taken back: ${faults[fault]}`, () => badRelease(platform, strategy, fault));
      }
    });
  }

  describe("disturbed", () => {
    let waiting: Running;

    it("another configuration is a release like any other, and undo brings the one before back", () =>
      configuration(platform));

    it("canary: the share of the traffic is what the step says, and testers have a header", async () => {
      waiting = await shareOfCanary(platform);
    });

    it("controller, gateway and application Pods are killed, another up is started: the release stays where it is", () =>
      killed(platform));

    it("without Prometheus nothing moves on; when it is back, the release does, to its end", () =>
      prometheusComesBack(platform, waiting));

    it("without Prometheus for longer than is borne, a release is taken back", () =>
      prometheusStaysAway(platform));
  });

  // The last: what serves afterwards knows a schema that no other build does.
  describe("the schema", () => {
    it("a migration that fails stops the release, with the database as it was", () =>
      failingMigration(platform));

    it("a snapshot is kept before the schema changes, and equals the database when it is restored", () =>
      expand(platform));

    it("a contract migration is refused while a version can come back that it would break", () =>
      contract(platform));
  });
});
