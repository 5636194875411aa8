import { expect } from "chai";
import fc from "fast-check";
import {
  credentialFor,
  credentialIn,
  credentialInCommand,
  entropyBits,
  isHarmlessValue,
  namesCredential,
} from "../../policy/frame/credentials";

describe("policy/credentials", () => {
  it("knows names that promise a credential", () => {
    for (const name of [
      "PASSWORD",
      "DB_PASSWORD",
      "db-password",
      "PGPASSWORD",
      "adminPassword",
      "passphrase",
      "SECRET",
      "client_secret",
      "AUTH_TOKEN",
      "apiKey",
      "API-KEY",
      "AWS_SECRET_ACCESS_KEY",
      "private.key",
      "DATABASE_URL",
      "REDIS_URI",
      "SENTRY_DSN",
      "INVENTORY_DATABASE_URL",
    ]) {
      expect(namesCredential(name), name).to.be.true;
    }
  });
  it("knows names that only speak of one", () => {
    for (const name of [
      "PASSWORD_FILE",
      "TOKEN_TTL_SECONDS",
      "SECRET_NAME",
      "passwordMinLength",
      "API_KEYS_PATH",
      "TOKEN_URL",
      "KEY",
      "PRIMARY_KEY",
      "BASE_URL",
      "TOKENIZER",
      "config.yaml",
    ]) {
      expect(namesCredential(name), name).to.be.false;
    }
  });
  it("knows values that are no credential whatever their name", () => {
    for (const value of ["", "true", "10", "1.5", "30s", "/etc/secrets/key", "./key", "$(TOKEN)"]) {
      expect(isHarmlessValue(value), value).to.be.true;
    }
    for (const value of ["hunter2", "$TOKEN", "correct horse", "20261125", "1234ab"])
      expect(isHarmlessValue(value), value).to.be.false;
  });
  it("takes a number for a credential where the name promises one, and not where it counts them", () => {
    for (const [name, value] of [
      ["DB_PASSWORD", "12345678"],
      ["DB_PASSWORD", "42"],
      ["adminPassword", "1234"],
      ["API_TOKEN", "20261125"],
      ["PASSPHRASE", "1234ab"],
    ] as const) {
      expect(credentialFor(name, value), name).to.be.a("string");
    }
    for (const [name, value] of [
      ["MAX_TOKENS", "4096"],
      ["apiKeys", "1000"],
      ["REQUIRE_PASSWORD", "1"],
      ["TOKEN", "30"],
      ["TOKEN", "86400s"],
      ["SECRET", "1.25"],
    ] as const) {
      expect(credentialFor(name, value), name).to.equal(undefined);
    }
  });
  it("finds a credential behind an option, in scripts and in command lines", () => {
    for (const text of [
      "mysql --password hunter2",
      "mysql --host db --password 'correct horse' inventory",
      "set -e\nkubeadm join --token abcdef.0123456789abcdef host:6443",
      "curl -u admin:hunter2 https://x.example",
      "curl -fsSu admin:swordfish https://x.example",
      "curl --proxy-user 'admin:swordfish' https://x.example",
      "curl https://x.example -uadmin:hunter2",
    ]) {
      expect(credentialIn(text), text).to.be.a("string");
    }
    expect(credentialInCommand("mysql --password swordfish")).to.be.a("string");
    expect(credentialInCommand("login --token TOKEN")).to.equal(undefined);
  });

  const credentials: Record<string, string> = {
    "a private key": "x: |\n  -----BEGIN EC PRIVATE KEY-----\n",
    "a URL with a password": "amqp://user:pa55@broker:5672",
    "a JSON web token": `eyJ${"a".repeat(12)}.eyJ${"b".repeat(12)}.c`,
    "an AWS access key": "AKIAABCDEFGHIJKLMNOP",
    "a GitHub token": `ghs_${"a".repeat(36)}`,
    "a GitLab token": `glpat-${"a".repeat(20)}`,
    "a Slack token": "xoxb-1234567890-abc",
    "a Slack webhook": "https://hooks.slack.com/services/T0/B0/abc",
    "a Stripe key": `sk_live_${"a".repeat(16)}`,
    "a Google API key": `AIza${"a".repeat(35)}`,
    "an npm token": `npm_${"a".repeat(36)}`,
    "a Pulumi access token": `pul-${"0a".repeat(20)}`,
    "a bearer token": `Authorization: Bearer ${"a".repeat(20)}`,
    "a long random string": "q8Zr3VnT1xKc7LwY5mBd9HsF2pGj4RaU",
  };
  for (const [what, text] of Object.entries(credentials)) {
    it(`recognises ${what}`, () => expect(credentialIn(text)).to.equal(what));
  }
  it("takes no digest, identifier, URL or sentence for a credential", () => {
    for (const text of [
      "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "123e4567-e89b-12d3-a456-426614174000",
      "https://inventory.localhost:30443/api/v1/items?category=tools",
      "postgresql://db.inventory.svc:5432/inventory",
      "postgresql://inventory:$(PASSWORD)@db:5432/inventory",
      "inventory-postgresql-headless.inventory.svc.cluster.local",
      "The quick brown fox jumps over the lazy dog 12345",
    ]) {
      expect(credentialIn(text), text).to.equal(undefined);
    }
  });
  it("measures entropy between 0 and the logarithm of the alphabet", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        const bits = entropyBits(text);
        expect(bits).to.be.within(-1e-9, Math.log2(text.length) + 1e-9);
      }),
    );
    expect(entropyBits("aabb")).to.equal(1);
  });
});
