import { z } from "zod";
import { field, mapOf, section } from "./field";
import { strings, text } from "./values";

const pem = (kind: string) =>
  field(
    `PEM that begins with "-----BEGIN" and holds a ${kind}`,
    z.string().regex(new RegExp(`-----BEGIN [A-Z ]*${kind.toUpperCase()}-----`)),
  );

const backupKey = () =>
  text(
    'a key of 43 to 512 random characters of A-Z, a-z, 0-9 and +/=_-, such as "openssl rand -base64 32" makes',
    /^[A-Za-z0-9+/=_-]{43,512}$/,
    512,
  );

/**
 * `technova:secrets`: every secret that a person brings in, encrypted in the stack's file. All are optional here;
 * which of them a stack needs follows from its other settings.
 */
export const secretsSchema = section({
  /** Address of the external database. */
  databaseUrl: text(
    "an address postgresql+psycopg://user:password@host:port/database",
    /^postgresql\+psycopg:\/\/[^:@/]+:[^@]+@[^/]+\/[^/]+$/,
    2048,
  ).optional(),
  registryPassword: field("a password or token", z.string().min(1)).optional(),
  /** Certificate chain of the gateway, leaf first. */
  gatewayCertificate: pem("certificate").optional(),
  gatewayPrivateKey: pem("private key").optional(),
  /** What backups of the database are encrypted with; the platform makes a key where it is left out. */
  backupKey: backupKey().optional(),
  /** Keys of before, by names of the stack's own choice: backups that they wrote can be read. */
  formerBackupKeys: mapOf(
    "an object of keys, each with a name of its own",
    /^[a-z0-9-]+$/,
    backupKey(),
  ).default({}),
  /** What tells each of `technova:monitoring.alertmanager.receivers`, by its name: an address, a key or a password. */
  alertReceivers: strings("an object of strings, one for each receiver").default({}),
  /** Values of Actions secrets by name. */
  github: strings("an object of strings, one for each name").default({}),
});

export type PlainSecrets = z.infer<typeof secretsSchema>;
