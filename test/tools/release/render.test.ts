import { expect } from "chai";
import { renderHistory } from "../../../tools/release/historyTable";
import type { Entry } from "../../../tools/release/history";
import { pictureOf } from "../../../tools/release/picture";
import { render, summary } from "../../../tools/release/render";
import { screenOn, wantsColours } from "../../../tools/release/screen";
import type { Release } from "../../../tools/release/objects";
import { table, wrap } from "../../../tools/release/text";
import {
  activeService,
  analysisRun,
  hashes,
  healthy,
  now,
  pauseCondition,
  release,
  rollout,
} from "./fixtures";

const picture = (of: Release) => pictureOf(of, { stack: "local", now });
const text = (of: Release) => render(picture(of), false);

const background = analysisRun({ "rollout-type": "Background" }, [
  {
    name: "error-percent",
    phase: "Running",
    count: 4,
    measurements: [{ phase: "Successful", value: "[0.1234567]" }],
  },
  {
    name: "p95-milliseconds",
    phase: "Running",
    count: 4,
    measurements: [{ phase: "Failed", value: "[1200]" }],
  },
]);

const releases: Record<string, () => Release> = {
  canary: () =>
    release(
      rollout("canary", {
        phase: "Paused",
        currentStepIndex: 1,
        controllerPause: true,
        pauseConditions: [pauseCondition("CanaryPauseStep")],
        canary: { weights: { canary: { weight: 10 }, stable: { weight: 90 } } },
      }),
      { analysisRuns: [background] },
    ),
  "aborted canary": () =>
    release(
      rollout("canary", {
        phase: "Degraded",
        abort: true,
        conditions: [
          {
            type: "Progressing",
            message: `Rollout aborted update to revision 3: ${"a long reason ".repeat(20)}`,
          },
        ],
      }),
    ),
  rolling: () => release(rollout("rolling")),
  "blue-green": () =>
    release(
      rollout("blueGreen", {
        phase: "Paused",
        controllerPause: true,
        pauseConditions: [pauseCondition("BlueGreenPause")],
        blueGreen: {
          activeSelector: hashes.stable,
          prePromotionAnalysisRunStatus: { name: "p", status: "Successful" },
        },
      }),
      { activeService: activeService(hashes.stable) },
    ),
  healthy: () => release(rollout("rolling", healthy)),
};

describe("the picture of a release", () => {
  it("shows everything about a canary at one glance", () => {
    expect(text((releases.canary as () => Release)()).split("\n")).to.deep.equal([
      "application  inventory",
      "strategy     canary",
      "version      1.0.0 (bbbb2222) -> 1.1.0 (cccc3333)",
      "state        progressing: step 2 is a pause of 120 s, 60 s left",
      "traffic      90 % to 1.0.0, 10 % to 1.1.0",
      "",
      "steps        ✓  1  10 % of the traffic",
      "             ●  2  stay for 120 s",
      "             ○  3  50 % of the traffic",
      "             ○  4  wait for a promotion",
      "             ○  5  analysis that decides over the release",
      "",
      "version  role    hash      desired  ready  available  age    image",
      "1.1.0    new     cccc3333  2        1      1          7 min  110000000000",
      "1.0.0    stable  bbbb2222  2        2      2          8 min  100000000000",
      "",
      "measured      what              value   limit  times  verdict",
      "all the time  error-percent     0.1235  5      4      ok",
      "all the time  p95-milliseconds  1200    1000   4      above",
      "",
      "next         goes on by itself",
      "             to follow it: npm run release -- watch",
      "             to give it up: npm run release -- abort",
    ]);
  });

  for (const [name, of] of Object.entries(releases)) {
    it(`fits 100 columns and has no codes for colours: ${name}`, () => {
      const lines = text(of()).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).to.be.at.most(100);
      expect(lines.join("")).not.to.include("\u001b");
    });
    it(`says the same in colours: ${name}`, () => {
      const coloured = render(picture(of()), true);
      expect(coloured).to.include("\u001b[");
      expect(coloured.replaceAll(/\u001b\[\d+m/g, "")).to.equal(text(of()));
    });
  }

  it("shows what a blue-green release waits for", () => {
    const shown = text((releases["blue-green"] as () => Release)());
    expect(shown).to.include("strategy     blue-green").and.to.include("traffic      100 % to 1.0.0");
    expect(shown).to.include("waits for: npm run release -- promote");
  });

  it("names one version when nothing is on its way", () => {
    expect(text((releases.healthy as () => Release)())).to.include("version      1.1.0 (cccc3333)\n");
  });
});

describe("the picture in one line", () => {
  it("changes when the release does, not with the clock", () => {
    const of = (releases.canary as () => Release)();
    const line = summary(picture(of));
    expect(line).to.equal(
      "1.1.0 progressing: step 2 is a pause of 120 s; 90 % to 1.0.0, 10 % to 1.1.0; 1 of 2 Pods available",
    );
    expect(summary(pictureOf(of, { stack: "local", now: now + 5000 }))).to.equal(line);
  });
});

describe("colours", () => {
  it("are for terminals, and for those who have not turned them off", () => {
    expect(wantsColours(true, {})).to.equal(true);
    expect(wantsColours(true, { NO_COLOR: "1" })).to.equal(false);
    expect(wantsColours(false, {})).to.equal(false);
  });
});

describe("a terminal", () => {
  const streams = (isTTY: boolean) => {
    const written: string[] = [];
    const stream = {
      isTTY,
      columns: 30,
      rows: 5,
      write: (chunk: unknown) => (written.push(String(chunk)), true),
    };
    return { written, screen: screenOn({ out: stream, err: stream }, {}) };
  };

  it("is drawn over by exactly the lines of the picture before, none of which wraps or scrolls", () => {
    const { written, screen } = streams(true);
    screen.redraw(`one\n${"x".repeat(50)}`);
    screen.redraw("1\n2\n3\n4\n5\n6");
    screen.redraw("end");
    expect(written).to.deep.equal([
      `one\n${"x".repeat(29)}…\n`,
      "\u001b[2A\r\u001b[J",
      "1\n2\n3\n4\n",
      "\u001b[4A\r\u001b[J",
      "end\n",
    ]);
  });

  it("has its line of progress written over; elsewhere there is a line for each change", () => {
    const terminal = streams(true);
    terminal.screen.progress("back, 1 s");
    terminal.screen.print("done");
    expect(terminal.written).to.deep.equal(["\r\u001b[Kback, 1 s", "\r\u001b[K", "done\n"]);
    const file = streams(false);
    for (const line of ["back, 1 s", "back, 2 s", "back, 3 s: nearly"]) file.screen.progress(line);
    expect(file.written).to.deep.equal(["back, 1 s\n", "back, 3 s: nearly\n"]);
  });
});

describe("text in columns", () => {
  it("is broken between words, and within one that is too long", () => {
    expect(wrap("one two  three", 7)).to.deep.equal(["one two", "three"]);
    expect(wrap("abcdefghij k", 4)).to.deep.equal(["abcd", "efgh", "ij k"]);
  });

  it("has its last column cut where the line ends", () => {
    const [, row = ""] = table(["a", "b"], [["x", "y".repeat(200)]]);
    expect(row).to.have.lengthOf(100);
    expect(row.endsWith("y…")).to.equal(true);
  });
});

describe("the history", () => {
  const entry: Entry = {
    hash: "h",
    version: "1.0.0",
    schemaRevision: "0004",
    strategy: "blueGreen",
    startedAt: "2026-01-02T12:00:00Z",
    finishedAt: "2026-01-02T12:03:20Z",
    outcome: "succeeded",
    message: "m".repeat(100),
  };

  it("is a table with the newest first, of at most 100 columns", () => {
    const [heading = "", newest = "", oldest = ""] = renderHistory([
      entry,
      { ...entry, version: "1.1.0" },
    ]).split("\n");
    expect(heading).to.match(/^ended \(UTC\) +version +schema +strategy +outcome +took +message$/);
    expect(newest).to.match(/^2026-01-02 12:03 +1\.1\.0 +0004 +blue-green +succeeded +3 min 20 s +m+…$/);
    expect(oldest).to.include("1.0.0");
    expect(newest).to.have.lengthOf(100);
  });

  it("says when there is none", () => {
    expect(renderHistory([])).to.equal("No release has been recorded yet.");
  });
});
