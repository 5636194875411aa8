import { isDeepStrictEqual } from "node:util";
import { isScalar, parseDocument, stringify, YAMLMap, type Document } from "yaml";
import { UserError } from "../engine/report";
import { quotingTimes } from "../engine/yaml";
import type { SecretsProvider } from "../history/checkpoint";
import { holdsSecret, isMapping } from "../history/differences";
import { applicationOf, digestOf } from "../history/facts";
import type { Config } from "../history/update";
import { withoutDowngrade, type StackState } from "./states";

/** Which part of an earlier state is brought back; the rest stays as it is. */
export type Part = "config" | "image";

/** What belongs to the image: a program that is older neither knows a newer schema nor was made at another time. */
const imageKeys = ["version", "image", "schemaRevision", "committedAt"] as const;

/**
 * The configuration to apply. An image that was built then is named by the digest that it got: built again it would be
 * another one.
 * @throws UserError when nobody knows that digest any more
 */
export function configToApply(target: StackState, running: StackState, project: string, only?: Part): Config {
  const key = `${project}:application`;
  if (target.config[key] === undefined) return only === "image" ? running.config : target.config;
  const then = applicationToApply(target, project);
  if (only === undefined) return { ...target.config, [key]: then };
  const now = applicationToApply(running, project);
  const [image, others] = only === "image" ? [then, now] : [now, then];
  const rest = Object.entries(others).filter(([name]) => !imageKeys.some((each) => each === name));
  const part = imageKeys.flatMap((name) => (image[name] === undefined ? [] : [[name, image[name]] as const]));
  const base = only === "image" ? running.config : target.config;
  return { ...base, [key]: Object.fromEntries([...part, ...rest]) };
}

function applicationToApply({ config, image }: StackState, project: string): Record<string, unknown> {
  const application = withoutDowngrade(applicationOf(config, project));
  const { build } = isMapping(application.image) ? application.image : {};
  if (!isMapping(build)) return application;
  const digest = digestOf(image);
  if (digest === undefined) {
    throw new UserError(
      "The image of that state was built by its update, and the state that the update left is not kept any more, so " +
        "nobody knows its digest. Go back to another one, or with --only config.",
    );
  }
  return { ...application, image: { repository: build.repository, digest } };
}

/** The same, and how the schema is brought down: by the build that made the newer one. */
export function withDowngrade(
  config: Config,
  project: string,
  downgrade: { readonly to: string; readonly image: object; readonly allowDataLoss: boolean },
): Config {
  const application = applicationOf(config, project);
  const migration = isMapping(application.migration) ? application.migration : {};
  const changed = { ...application, migration: { ...migration, downgrade } };
  return { ...config, [`${project}:application`]: changed };
}

/** Settings that the CLI can work with by themselves: with what it needs to read their secrets. */
export function standaloneSettings(config: Config, provider: SecretsProvider | undefined): string {
  return stringify({ ...encryptionOf(provider), config }, quotingTimes);
}

/**
 * The text of a stack's file with another configuration in it. Comments, order and form stay wherever the value does.
 * @param defaults what the project says of keys that a stack leaves out
 */
export function settingsText(
  text: string,
  config: Config,
  provider: SecretsProvider | undefined,
  defaults: Config = {},
): string {
  const document = parseDocument(text, quotingTimes);
  const before = (document.toJS() ?? {}) as { config?: Record<string, unknown> | null };
  const known = before.config ?? {};
  const wanted = Object.entries(config).filter(
    ([key, value]) => key in known || !isDeepStrictEqual(value, defaults[key]),
  );
  if (!isMapping(before.config)) document.set("config", new YAMLMap());
  merge(document, ["config"], known, Object.fromEntries(wanted));
  const encryption = encryptionOf(provider);
  const told = ["encryptionsalt", "secretsprovider", "encryptedkey"].some((key) => document.has(key));
  if (!told && holdsSecret(config)) {
    for (const [key, value] of Object.entries(encryption)) document.set(key, value);
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function merge(
  document: Document,
  path: readonly string[],
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): void {
  for (const key of Object.keys(before)) if (!(key in after)) document.deleteIn([...path, key]);
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    if (isDeepStrictEqual(old, value)) continue;
    if (isMapping(old) && isMapping(value)) merge(document, [...path, key], old, value);
    else if (!replaceScalar(document.getIn([...path, key], true), value))
      document.setIn([...path, key], document.createNode(value));
  }
}

/** A value in the place of one of its kind keeps its comment and its quotes. */
function replaceScalar(node: unknown, value: unknown): boolean {
  if (!isScalar(node) || node.anchor !== undefined || typeof node.value !== typeof value) return false;
  if (typeof value !== "string" && typeof value !== "boolean") return false;
  node.value = value;
  return true;
}

/** What a stack's file says of its secrets, as the CLI writes it. */
function encryptionOf(provider: SecretsProvider | undefined): Record<string, string> {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const state = provider?.state ?? {};
  if (provider?.type === "passphrase") return { encryptionsalt: text(state.salt) };
  if (provider?.type === "cloud") {
    return { secretsprovider: text(state.url), encryptedkey: text(state.encryptedkey) };
  }
  // A Pulumi Cloud keeps the keys itself.
  return {};
}

/** Defaults that Pulumi.yaml gives to keys of its own; a history has them among the stack's. */
export function projectDefaults(project: string, declared: unknown): Config {
  const entries = isMapping(declared) ? Object.entries(declared) : [];
  return Object.fromEntries(
    entries.flatMap(([key, value]) =>
      isMapping(value) && "default" in value
        ? [[key.includes(":") ? key : `${project}:${key}`, value.default]]
        : [],
    ),
  );
}
