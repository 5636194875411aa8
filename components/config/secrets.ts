import { z } from "zod";
import { field, section } from "./field";
import { strings, text } from "./values";

const pem = (kind: string) =>
  field(
    `PEM that begins with "-----BEGIN" and holds a ${kind}`,
    z.string().regex(new RegExp(`-----BEGIN [A-Z ]*${kind.toUpperCase()}-----`)),
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
  /** What tells each of `technova:monitoring.alertmanager.receivers`, by its name: an address, a key or a password. */
  alertReceivers: strings("an object of strings, one for each receiver").default({}),
  /** Values of Actions secrets by name. */
  github: strings("an object of strings, one for each name").default({}),
});

export type PlainSecrets = z.infer<typeof secretsSchema>;
