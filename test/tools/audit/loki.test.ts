import { expect } from "chai";
import { literally, Loki, NoLoki, nanoseconds, quoted, type Line } from "../../../tools/audit/loki";
import { connect } from "../../../tools/release/api";
import { minutesAgo, place } from "./support";

const labels = { job: "audit", source: "stack", stack: "staging" };
const query = '{job="audit"}';
const day = 86_400_000;

async function opened() {
  const { loki: fake, root, env } = await place();
  return { fake, loki: new Loki(await connect(root, "staging", env)) };
}

async function all(lines: AsyncIterable<Line>): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of lines) found.push(text);
  return found;
}

describe("Loki through the API server", () => {
  it("gives lines back newest first, however many there are and however many share a moment", async () => {
    const { fake, loki } = await opened();
    const start = minutesAgo(60);
    // More than a page at one moment, which is also the last of a page.
    const offsets = [...Array.from({ length: 990 }, (_, index) => index + 1), ...Array<number>(15).fill(0)];
    for (const [index, offset] of offsets.entries())
      fake.add(new Date(start.getTime() + offset), labels, `${index}`);
    const found = await all(
      loki.newestFirst(query, { from: nanoseconds(start), to: nanoseconds(new Date()) }),
    );
    expect(found).to.have.lengthOf(offsets.length);
    expect(new Set(found).size).to.equal(offsets.length);
    expect(found.slice(0, 2)).to.deep.equal(["989", "988"]);
  });

  it("asks for no more than is taken", async () => {
    const { fake, loki } = await opened();
    for (let index = 0; index < 1500; index++)
      fake.add(new Date(Date.now() - index * 10), labels, `${index}`);
    const range = { from: nanoseconds(minutesAgo(60)), to: nanoseconds(Date.now() + 1) };
    for await (const { text } of loki.newestFirst(query, range)) {
      expect(text).to.equal("0");
      break;
    }
    expect(fake.requests).to.have.lengthOf(1);
  });

  it("looks further back than Loki does at one time, and leaves out what is before the beginning", async () => {
    const { fake, loki } = await opened();
    const now = Date.now();
    for (const days of [1, 31, 70, 100]) fake.add(new Date(now - days * day), labels, `${days} days ago`);
    const range = { from: nanoseconds(now - 90 * day), to: nanoseconds(now) };
    expect(await all(loki.newestFirst(query, range))).to.deep.equal([
      "1 days ago",
      "31 days ago",
      "70 days ago",
    ]);
    expect(await loki.count(query, range)).to.equal(3);
  });

  it("writes lines with their metadata, and finds them by it", async () => {
    const { fake, loki } = await opened();
    const time = nanoseconds(minutesAgo(1));
    await loki.push(labels, [
      { time, text: "one", metadata: { who: "alice" } },
      { time, text: "two", metadata: { who: "bob" } },
    ]);
    const range = { from: time, to: time + 1n };
    expect(await all(loki.newestFirst('{source="stack"} | who="bob"', range))).to.deep.equal(["two"]);
    expect(fake.stored.map((line) => line.labels)).to.deep.equal([labels, labels]);
    expect(await loki.count('{source="stack"} | who="nobody"', range)).to.equal(0);
  });

  it("says when there is no Loki", async () => {
    const { fake, loki } = await opened();
    fake.failure = 404;
    const range = { from: 0n, to: 1n };
    const error: unknown = await all(loki.newestFirst(query, range)).then(
      undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(NoLoki);
  });

  it("takes names for what they are, not for parts of a query", () => {
    expect(quoted('a"} or {b="\\')).to.equal('"a\\"} or {b=\\"\\\\"');
    expect(new RegExp(`^${literally("a.b*(c)[d]|e^$?+{1}\\")}$`).test("a.b*(c)[d]|e^$?+{1}\\")).to.equal(
      true,
    );
  });
});
