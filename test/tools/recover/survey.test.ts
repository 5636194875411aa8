import { expect } from "chai";
import { keepsImage } from "../../../tools/recover/check";
import { decrypt, keyId } from "../../../tools/recover/cipher";
import { choose, readManifest, survey, type Backups } from "../../../tools/recover/survey";
import { parseWanted, wantedText } from "../../../tools/recover/wanted";
import { backupKey, dump, sealed } from "../../support/sealedBackups";
import { messageOfFailure } from "../engine/support";

const at = (text: string) => new Date(`2026-01-02T${text}Z`);
const older = "inventory-20260102T010000Z-0003-1.0.0";
const newer = "inventory-20260102T030405Z-0004-1.0.0";
const base = "inventory-20260102T020000Z-7300-0000000100000000000000FE";

/** A bucket in memory; every object was put there at the time that it is given with. */
class FakeBucket implements Backups {
  readonly objects = new Map<string, { content: Buffer; modified: Date }>();
  put(name: string, modified: Date, content: Buffer = Buffer.from("x")): this {
    this.objects.set(name, { content, modified });
    return this;
  }
  dump(name: string, key?: string): this {
    for (const [path, content] of dump(name, { "public.items": 3 }, key))
      this.put(path, at("03:05:00"), content);
    return this;
  }
  list(prefix: string) {
    return Promise.resolve(
      [...this.objects]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, { content, modified }]) => ({ name, bytes: content.length, modified })),
    );
  }
  read(name: string) {
    const found = this.objects.get(name);
    return found ? Promise.resolve(found.content) : Promise.reject(new Error(`there is no ${name}`));
  }
}

function bucket(...segments: readonly [name: string, modified: string][]): FakeBucket {
  const made = new FakeBucket().dump(older).dump(newer);
  made.put("dumps/inventory-20260102T040000Z-0004-1.0.0/database.dump.enc", at("04:00:00"));
  for (const file of ["base.tar.gz", "manifest.json"]) made.put(`base/${base}/${file}.enc`, at("02:00:10"));
  for (const [name, modified] of segments) made.put(`wal/7300/${name}.gz.enc`, at(modified));
  return made;
}

const unbroken = [
  ["0000000100000000000000FD", "01:59:00"],
  ["0000000100000000000000FE", "02:10:00"],
  ["0000000100000000000000FF", "02:20:00"],
  ["000000010000000100000000", "05:00:00"],
] as const;

describe("what a bucket of backups has", () => {
  it("are dumps with a manifest, and base backups with the log that follows without a gap", async () => {
    const { dumps, reaches } = await survey(bucket(...unbroken.map((each) => [...each] as [string, string])));
    expect(dumps.map(({ name }) => name)).to.deep.equal([older, newer]);
    expect(reaches).to.have.length(1);
    expect(reaches[0]).to.deep.include({ segments: 3, until: at("05:00:00") });
    expect(reaches[0]).to.not.have.property("gap");
  });

  it("reaches only up to a segment that is missing", async () => {
    const [first, second, , last] = unbroken;
    const { reaches } = await survey(bucket([...first], [...second], [...last]));
    expect(reaches[0]).to.deep.include({ segments: 1, until: at("02:10:00"), gap: "00000000000000FF" });
  });

  it("is read by its key alone, and is whole", async () => {
    const made = bucket();
    const { dumps } = await survey(made);
    const chosen = choose(parseWanted(newer), { dumps, reaches: [] }, false);
    if (chosen === undefined) throw new Error("nothing was chosen");
    expect((await readManifest(made, chosen, ["other".repeat(10), backupKey])).tables).to.deep.equal({
      "public.items": 3,
    });
    const told = await messageOfFailure(() => readManifest(made, chosen, ["other".repeat(10)]));
    expect(told).to.match(/was encrypted with key 32e9a299cf6b391e, which neither/);
    made.put(`dumps/${newer}/database.dump.enc`, at("03:05:00"), Buffer.from("cut"));
    expect(await messageOfFailure(() => readManifest(made, chosen, [backupKey]))).to.match(/is not whole/);
  });
});

describe("the choice of a backup", () => {
  const found = async (...segments: [string, string][]) => survey(bucket(...segments));
  const whole = unbroken.map((each) => [...each] as [string, string]);

  it("is the log where it reaches further than the newest dump, else that dump", async () => {
    const logged = choose({ kind: "latest" }, await found(...whole), true);
    expect(logged).to.deep.include({ recovery: { time: "latest" }, kind: "base", until: at("05:00:00") });
    const short = choose({ kind: "latest" }, await found(...whole.slice(0, 2)), true);
    expect(short).to.deep.include({ recovery: { snapshot: newer } });
    expect(choose({ kind: "latest" }, await found(...whole), false)).to.deep.include({
      recovery: { snapshot: newer },
    });
  });

  it("is not the log where that has a gap that nothing reaches over, but says up to when it goes", async () => {
    const broken = await found(...whole, ["000000010000000100000002", "06:00:00"]);
    expect(() => choose({ kind: "latest" }, broken, true)).to.throw(
      `The log lacks 0000000100000001 after 2026-01-02T05:00:00Z, so that it cannot be followed to its end. ` +
        `Take what it has before that (--snapshot 2026-01-02T05:00:00Z), or a dump (--snapshot ${newer}).`,
    );
    const before = choose(parseWanted("2026-01-02T05:00:00Z"), broken, true);
    expect(before?.recovery).to.deep.equal({ time: "2026-01-02T05:00:00.000Z", orEnd: true });
  });

  it("is the newest dump, one by its name, or none", async () => {
    const there = await found(...whole);
    expect(choose({ kind: "latestDump" }, there, true)?.recovery).to.deep.equal({ snapshot: newer });
    expect(choose(parseWanted(older), there, true)?.recovery).to.deep.equal({ snapshot: older });
    expect(choose({ kind: "none" }, there, true)).to.equal(undefined);
    const absent = parseWanted("inventory-20250101T000000Z-0004-1.0.0");
    expect(() => choose(absent, there, true)).to.throw(new RegExp(`There is no dump .*\\n  ${older}`));
  });

  it("is a moment between a base backup and the end of its log, and no other", async () => {
    const there = await found(...whole);
    const moment = (text: string) => choose(parseWanted(text), there, true);
    expect(moment("2026-01-02T05:30:00+01:00")).to.deep.include({
      // Whatever was written last: PostgreSQL by itself wants a change that is later.
      recovery: { time: "2026-01-02T04:30:00.000Z", orEnd: true },
      until: at("04:30:00"),
    });
    for (const outside of ["2026-01-02T01:00:00Z", "2026-01-02T05:00:01Z"]) {
      expect(() => moment(outside)).to.throw(
        "the log reaches from 2026-01-02T02:00:00Z to 2026-01-02T05:00:00Z",
      );
    }
    expect(() => choose(parseWanted("2026-01-02T03:00:00Z"), there, false)).to.throw(/walArchiving keeps/);
  });

  it("says so where there is nothing at all", () => {
    expect(() => choose({ kind: "latest" }, { dumps: [], reaches: [] }, true)).to.throw(
      /no backup that is whole/,
    );
  });

  it("takes what can be asked for, and says what that is", () => {
    for (const wrong of ["yesterday", "2026-01-02", "2026-01-02T03:04:05", "", "inventory-1"]) {
      expect(() => parseWanted(wrong), wrong).to.throw(/it takes latest .*latest-dump.*none/);
    }
    for (const right of ["latest", "latest-dump", "none", newer, "2026-01-02T03:04:05.000Z"])
      expect(wantedText(parseWanted(right))).to.equal(right);
  });
});

describe("the version that runs on a backup", () => {
  const manifest = { kind: "dump", name: newer, takenAt: "", version: "1.1.0", files: {} } as const;

  it("is the archive's, unless that is older than the data and the repository's is not", () => {
    const of = (then: string | undefined, now: string, schemaRevision: string | null = "0005") =>
      keepsImage({ ...manifest, schemaRevision }, then, now);
    expect([of("0005", "0006"), of("0006", "0006"), of("0005", "0004")]).to.deep.equal([false, false, false]);
    expect([of("0004", "0005"), of("0004", "0006")]).to.deep.equal([true, true]);
    // What is not known before it runs, and an archive of a stack that had no application.
    expect([of("0004", "0005", null), of(undefined, "0005")]).to.deep.equal([false, false]);
  });

  it("has to be named where neither of them fits", () => {
    expect(() => keepsImage({ ...manifest, schemaRevision: "0005" }, "0004", "0003")).to.throw(
      /has the schema 0005 of version 1\.1\.0; .* for 0004 and the repository's for 0003.*choose an older dump/,
    );
  });
});

describe("the encryption of backups", () => {
  const name = "dumps/x/manifest.json";

  it("opens what the service's image wrote", () => {
    const written =
      "544e5642414b310a33326539613239396366366233393165d3bdbf40246c23d7247a86a250e96295697feb563bb95c11f82bd87f77" +
      "a3655018372e2d44622c2ceead06d9ef4ac5e2c1891616e5f46de4c04510867e3a4337f6b536";
    expect(keyId(backupKey)).to.equal("32e9a299cf6b391e");
    expect(decrypt(Buffer.from(written, "hex"), name, [backupKey]).toString()).to.equal('{"format":1}');
  });

  it("refuses every other byte, another name, and a part", () => {
    const object = sealed(name, "some text");
    for (let index = 0; index < object.length; index++) {
      const changed = Buffer.from(object);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => decrypt(changed, name, [backupKey]), `byte ${index}`).to.throw();
    }
    expect(() => decrypt(object, "dumps/y/manifest.json", [backupKey])).to.throw(
      /damaged, cut off or another/,
    );
    for (const end of [0, 20, 62, 63, 70, object.length - 1]) {
      expect(() => decrypt(object.subarray(0, end), name, [backupKey]), `of ${end} bytes`).to.throw();
    }
  });
});
