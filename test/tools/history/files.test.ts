import { expect } from "chai";
import { hostname } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { writeFileSync } from "node:fs";
import { readHead, readWhole } from "../../../tools/history/checkpoint";
import { FileHistory } from "../../../tools/history/files";
import { historyFiles } from "../../../tools/history/names";
import { messageOfFailure, temporaryFolder, write } from "../engine/support";
import { checkpointText, entryText, historyOnDisk, idAt, imageOf } from "./support";

const onDisk = (count: number) => historyOnDisk(count, join(temporaryFolder(), ".pulumi"));
const stack = { project: "technova", stack: "local" };

describe("a history in files", () => {
  it("is read oldest first, with the number that each update has for good", async () => {
    const history = new FileHistory(onDisk(5), stack);
    const numbers = async (limit?: number) => (await history.updates(limit)).map(({ number }) => number);
    expect(await numbers()).to.deep.equal([1, 2, 3, 4, 5]);
    expect(await numbers(2)).to.deep.equal([4, 5]);
    const [update] = await history.updates(1);
    expect(update).to.deep.include({ id: idAt(5), kind: "update", succeeded: true, message: "number 5" });
    expect(update?.endedAt.toISOString()).to.equal("2026-11-25T07:05:30.000Z");
  });

  it("is empty where the stack has none", async () => {
    const history = new FileHistory(temporaryFolder(), stack);
    expect(await history.updates()).to.deep.equal([]);
    expect(await history.leftBehind("1")).to.equal(undefined);
    expect(await history.current()).to.equal(undefined);
    expect(await history.lockedBy()).to.equal(undefined);
  });

  it("tells what an update left behind, and the state as it is", async () => {
    const bookkeeping = onDisk(2);
    write(bookkeeping, "stacks/technova/local.json", checkpointText(7, 0, "v1:newer"));
    const history = new FileHistory(bookkeeping, stack);
    const salt = (text: string) => ({ type: "passphrase", state: { salt: text } });
    expect(await history.leftBehind(idAt(2))).to.deep.equal({
      image: imageOf("2"),
      secretsProvider: salt("v1:abc"),
    });
    expect((await history.leftBehind(idAt(2), true))?.release).to.equal("release-2");
    expect(await history.current()).to.deep.equal({ image: imageOf("7"), secretsProvider: salt("v1:newer") });
  });

  it("is read where it is compressed", async () => {
    const bookkeeping = onDisk(1);
    const name = join(bookkeeping, `history/technova/local/local-${idAt(2)}`);
    writeFileSync(`${name}.history.json.gz`, gzipSync(entryText(2)));
    writeFileSync(`${name}.checkpoint.json.gz`, gzipSync(checkpointText(2)));
    const history = new FileHistory(bookkeeping, stack);
    expect((await history.updates()).map(({ message }) => message)).to.deep.equal(["number 1", "number 2"]);
    expect((await history.leftBehind(idAt(2)))?.image).to.equal(imageOf("2"));
  });

  it("names an entry that cannot be read", async () => {
    const bookkeeping = onDisk(2);
    write(bookkeeping, `history/technova/local/local-${idAt(1)}.history.json`, '{"kind":');
    const told = await messageOfFailure(() => new FileHistory(bookkeeping, stack).updates());
    expect(told).to.contain(`entry ${idAt(1)}`);
  });

  it("knows who holds the stack, and nobody once that process is gone", async () => {
    const bookkeeping = temporaryFolder();
    const lock = (pid: number, machine: string) =>
      write(
        bookkeeping,
        "locks/organization/technova/local/x.json",
        JSON.stringify({ pid, username: "alice", hostname: machine, timestamp: "2026-01-01T12:00:00Z" }),
      );
    const history = new FileHistory(bookkeeping, stack);
    lock(999_999_999, "elsewhere");
    expect(await history.lockedBy()).to.match(/^alice@elsewhere, process 999999999/);
    lock(999_999_999, hostname());
    expect(await history.lockedBy()).to.equal(undefined);
  });
});

describe("the files of a history", () => {
  it("are sorted by their time, whatever its length, and others are left out", () => {
    const names = [
      "s-10000000001.history.json",
      "s-9999999999.history.json.gz",
      "s-1.history.json",
      "x.attrs",
    ];
    names.push("s-9999999999.history.json.attrs", "s-10000000001.checkpoint.json");
    expect(historyFiles(names, "history").map(({ id }) => id)).to.deep.equal(["9999999999", "10000000001"]);
  });
});

describe("a checkpoint", () => {
  it("tells by its beginning what the whole of it tells", () => {
    const text = checkpointText(3, 100_000);
    const { release, ...rest } = readWhole(text);
    expect(release).to.equal("release-3");
    expect(readHead(text.slice(0, 2_000))).to.deep.equal({
      image: rest.image,
      secretsProvider: rest.secretsProvider,
    });
  });

  it("is not told by a beginning that lacks something", () => {
    expect(readHead(checkpointText(3).slice(0, 150))).to.equal(undefined);
    // Another resource's image is none of the application's.
    const other = checkpointText(3).replace(`"image":"${imageOf("3")}",`, "");
    expect(readHead(other)).to.equal(undefined);
    expect(readWhole(other).image).to.equal(undefined);
    expect(readWhole('{"checkpoint":{"latest":null}}')).to.deep.equal({
      image: undefined,
      release: undefined,
      secretsProvider: undefined,
    });
  });
});
