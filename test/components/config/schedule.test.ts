import { expect } from "chai";
import { longestGapHours, schedule } from "../../../components/config/schedule";

describe("the longest time between two runs of a schedule", () => {
  const gaps: readonly [string, number][] = [
    ["* * * * *", 1],
    ["*/15 * * * *", 1],
    ["0 * * * *", 1],
    ["0 */6 * * *", 6],
    ["17 1 * * *", 24],
    ["17 1,13 * * *", 12],
    ["0 8-18/2 * * *", 14],
    ["0 0 * * 0", 168],
    ["0 0 * * 7", 168],
    ["0 0 * * 1-5", 72],
    ["0 0 1 * *", 744],
    // Either will do where both say something: the 1st, and every Monday.
    ["0 0 1 * 1", 168],
    ["0 0 1 1 *", 366 * 24],
    ["0 0 30 2 *", Infinity],
  ];
  for (const [value, hours] of gaps) {
    it(`is ${hours} h for ${value}`, () => {
      expect(longestGapHours(value)).to.equal(hours);
    });
  }
});

describe("a schedule", () => {
  const taken = (value: unknown) => schedule().safeParse(value).success;

  it("is taken when it comes at least once a year", () => {
    for (const value of ["17 1 * * *", "0 0 1 1 *", "*/5 0-4 1,15 * 1-5"])
      expect(taken(value), value).to.equal(true);
  });

  it("is refused otherwise", () => {
    const wrong = ["", "daily", "@daily", "0 0 * *", "0 0 * * * *", "60 0 * * *", "0 24 * * *", "0 0 0 * *"];
    wrong.push(
      "0 0 * 13 *",
      "0 0 * * 8",
      "0 0 * * MON",
      "5-1 * * * *",
      "*/0 * * * *",
      "0  0 * * *",
      "0 0 30 2 *",
    );
    for (const value of [...wrong, 5, undefined]) expect(taken(value), String(value)).to.equal(false);
  });
});
