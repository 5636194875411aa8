import "reflect-metadata";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { webcrypto } from "node:crypto";
import { expect } from "chai";
import * as x509 from "@peculiar/x509";
import type { Journal } from "../../../tools/recover/journal";
import { verifyRecovered, type VerifyMeans } from "../../../tools/recover/verify";
import { FakeScreen } from "../rollback/support";
import { messageOfFailure } from "../engine/support";
import { healthy, replicaSets, rollout } from "../release/fixtures";
import { rolloutPath } from "../release/fakeApi";
import type { FullApi } from "../../../tools/release/api";

const at = "2026-01-02T03:04:05.000000+00:00";

/** A cluster whose release is through. */
const api: FullApi = {
  get: (path) => {
    if (path === rolloutPath) return Promise.resolve(rollout("rolling", healthy));
    return Promise.resolve(path.includes("/replicasets") ? { items: replicaSets() } : undefined);
  },
  patch: () => Promise.reject(new Error("nothing is changed")),
  create: () => Promise.reject(new Error("nothing is made")),
  remove: () => Promise.reject(new Error("nothing is removed")),
};

/** The service's gateway, as far as one question goes. */
async function gateway(
  answer: () => { status: number; body: unknown },
): Promise<{ server: Server; ca: string }> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=inventory.localhost",
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "inventory.localhost" }]),
    ],
  });
  const exported = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const key = `-----BEGIN PRIVATE KEY-----\n${exported}\n-----END PRIVATE KEY-----\n`;
  const server = createServer({ key, cert: certificate.toString("pem") }, (request, response) => {
    const allowed =
      request.headers["x-api-key"] === "admin" && request.headers.host?.startsWith("inventory.");
    const { status, body } = allowed ? answer() : { status: 401, body: {} };
    response.writeHead(status).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, ca: certificate.toString("pem") };
}

describe("the look at a recovered service", () => {
  let server: Server;
  let ca: string;
  let answer: { status: number; body: unknown };

  before(async () => ({ server, ca } = await gateway(() => answer)));
  beforeEach(() => (answer = { status: 200, body: { items: [{ created_at: at }], next_cursor: null } }));
  after(() => server.close());

  const journal: Journal = {
    startedAt: "2026-01-02T03:00:00.000Z",
    archive: { file: "x", from: "x", sha256: "" },
    tables: { "public.items": 3, "public.movements": 7 },
    done: [],
    seconds: {},
  };

  function means(
    changes: Partial<VerifyMeans> = {},
    rows = { "public.items": 3, "public.movements": 9 },
  ): VerifyMeans {
    const { port } = server.address() as AddressInfo;
    const counts: Record<string, number> = rows;
    return {
      api,
      screen: new FakeScreen(),
      outputs: { url: `https://inventory.localhost:${port}`, adminApiKey: "admin", gatewayCaCertificate: ca },
      onThisMachine: true,
      schemaRevision: "0004",
      sql: (statement) => {
        const table = /FROM ([\w.]+)$/.exec(statement)?.[1] ?? "";
        return Promise.resolve([table === "alembic_version" ? "0004" : String(counts[table])]);
      },
      ...changes,
    };
  }

  it("asks for the newest movement through the gateway, its certificate verified, and counts rows", async () => {
    expect(await verifyRecovered(journal, means())).to.deep.equal({
      newestMovement: new Date(at),
      rows: { "public.items": 3, "public.movements": 9 },
      notes: [],
    });
  });

  it("has to have an answer again and again: each Pod finds a database that was started anew by itself", async () => {
    const { body } = answer;
    let asked = 0;
    answer = {
      get status() {
        return ++asked === 2 ? 503 : 200;
      },
      get body() {
        return asked === 2 ? {} : body;
      },
    };
    await verifyRecovered(journal, means());
    expect(asked).to.equal(7);
  });

  it("finds fewer rows than were backed up, and another schema", async () => {
    const short = means({}, { "public.items": 2, "public.movements": 9 });
    expect(await messageOfFailure(() => verifyRecovered(journal, short))).to.equal(
      "The database is not what was backed up: public.items has 2 rows, the backup says 3.",
    );
    expect(
      await messageOfFailure(() => verifyRecovered(journal, means({ schemaRevision: "0005" }))),
    ).to.match(
      /^The schema is at revision 0004, not at 0005\. Its migration has not brought it there: kubectl/,
    );
    expect(
      await messageOfFailure(() => verifyRecovered(journal, means({ schemaRevision: "0003" }))),
    ).to.match(
      /^The schema is at revision 0004, not at 0003\. .*put version, image and schemaRevision of that/,
    );
  });

  it("knows of a database without a movement, and says what it could not look at", async () => {
    answer = { status: 200, body: { items: [], next_cursor: null } };
    const found = await verifyRecovered(journal, means({ sql: undefined }));
    expect(found.newestMovement).to.equal(undefined);
    expect(found.notes.join()).to.match(/external: its schema and rows were not looked at/);
  });
});
