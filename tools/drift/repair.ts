import { UserError } from "../engine/report";
import { isNotFound, ApiError } from "../plugins/kubernetes/cluster/errors";
import { immutableFields, touches } from "../plugins/kubernetes/force-new";
import { text, type KubeObject } from "../plugins/kubernetes/object";
import type { PropertyMap } from "../plugins/rpc/values";
import type { Cluster } from "./cluster";
import { isAddition, objectOf, type Finding } from "./finding";
import type { Path } from "./managedFields";
import type { StackState } from "./state";

/** What a repair works with. */
export interface Means {
  readonly cluster: Cluster;
  /** Runs the engine on this terminal, with the policy pack; answers its exit code. */
  readonly engine: (args: readonly string[], env: Record<string, string>) => Promise<number>;
  /** Asks a question that is answered with yes or no; undefined where nobody can be asked. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined;
  readonly note: (text: string) => void;
}

export interface RepairOptions {
  readonly stack: string;
  /** The engine does not ask. */
  readonly yes: boolean;
  /** Takes away what was added without asking. */
  readonly removeAdded: boolean;
}

/**
 * Puts back what was changed or deleted. That is the engine's: it reads the resources in question again,
 * previews, checks the policies, asks, and applies. Resources without drift are left alone, even when the
 * program says something new of them.
 * @throws UserError when the engine did not come to its end
 */
export async function putBack(
  findings: readonly Finding[],
  state: StackState,
  options: RepairOptions,
  means: Means,
): Promise<void> {
  const kept = await clearTheWay(findings, options, means);
  const targets = new Set(findings.filter((finding) => !isAddition(finding)).map(({ urn = "" }) => urn));
  for (const urn of kept) targets.delete(urn);
  if (targets.size === 0) return;
  for (const urn of renamed(findings, state)) followed(urn, state, targets);
  const args = ["up", "--stack", options.stack, "--refresh", "--suppress-outputs"];
  if (options.yes) args.push("--yes");
  args.push(...[...targets].flatMap((urn) => ["--target", urn]));
  // Whoever changed a field manages it; the stack takes it back.
  const code = await means.engine(args, { PULUMI_K8S_ENABLE_PATCH_FORCE: "true" });
  if (code !== 0) throw new UserError("The repair did not come to its end; what is printed above says why.");
}

/**
 * Takes away what was added, one after the other as far as it is agreed to: the engine does not see it. It
 * comes after the engine's part, for a list may not be without the one element that somebody put there.
 */
export async function takeAwayAdded(
  findings: readonly Finding[],
  options: RepairOptions,
  means: Means,
): Promise<void> {
  const changed: string[] = [];
  for (const [, group] of byObject(findings.filter(isAddition)))
    changed.push(...(await takeAway(group, options, means)));
  if (changed.length === 0) return;
  // The state has them still, and the next update would go after them.
  const args = ["refresh", "--stack", options.stack, "--yes", "--skip-preview", "--suppress-outputs"];
  const code = await means.engine([...args, ...changed.flatMap((urn) => ["--target", urn])], {});
  if (code !== 0) {
    throw new UserError(
      "It is taken away, but the state says so only when this has worked: " +
        `npm run pulumi -- refresh --stack ${options.stack}`,
    );
  }
}

/** URNs of what is made anew by another name. */
function renamed(findings: readonly Finding[], { objects }: StackState): string[] {
  const named = new Map(objects.map(({ urn, wanted }) => [urn, wanted]));
  return findings.flatMap(({ urn = "", change, path = [] }) => {
    const wanted = named.get(urn);
    if (text(wanted, "metadata", "annotations", "pulumi.com/autonamed") !== "true" || wanted === undefined)
      return [];
    if (change === "missing" || change === "replaced") return [urn];
    const fixed = immutableFields(wanted, { mutableConfigMaps: false, mutableSecrets: false });
    return change !== "added" && touches([...path], undefined, fixed) ? [urn] : [];
  });
}

/**
 * Adds what refers to a resource, as by its name, and with each its provider. `--target-dependents` would add what only
 * waits for it, which is most of a stack, and none of their providers, without which the engine fails.
 */
function followed(urn: string, state: StackState, targets: Set<string>): void {
  for (const [follower, { values, provider }] of state.references) {
    if (!values.includes(urn) || targets.has(follower)) continue;
    targets.add(follower);
    if (provider !== undefined) targets.add(provider);
    followed(follower, state, targets);
  }
}

/**
 * Removes what stands where the engine has to put something; answers the resources whose objects are to stay.
 */
async function clearTheWay(
  findings: readonly Finding[],
  { yes }: RepairOptions,
  means: Means,
): Promise<string[]> {
  const kept: string[] = [];
  for (const finding of findings.filter(({ inTheWay }) => inTheWay)) {
    const name = `${objectOf(finding)}, which stands in the place of the stack's own`;
    if (yes || (await means.ask?.(`Remove ${name}?`))) await removeObject(finding, means);
    else {
      means.note(`kept: ${name}`);
      kept.push(finding.urn ?? "");
    }
  }
  return kept;
}

function byObject(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.apiVersion} ${objectOf(finding)}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return groups;
}

/** @returns URNs of the stack's own objects that it has changed */
async function takeAway(
  group: readonly Finding[],
  options: RepairOptions,
  means: Means,
): Promise<readonly string[]> {
  const agreed: Finding[] = [];
  for (const finding of group) {
    const { change, what } = finding;
    const name =
      change === "extra" ? objectOf(finding) : `${objectOf(finding)}: ${what.replace(/ was added$/, "")}`;
    const asks = !options.removeAdded && !options.yes && means.ask !== undefined;
    if (options.removeAdded || (asks && (await means.ask?.(`Remove ${name}?`)))) agreed.push(finding);
    else means.note(`kept: ${name}`);
  }
  const [first] = agreed;
  if (first === undefined) return [];
  if (first.change === "extra") {
    await removeObject(first, means);
    return [];
  }
  await removeFields(agreed, means);
  return first.urn === undefined ? [] : [first.urn];
}

const identity = ({ apiVersion, kind, namespace, name }: Finding): KubeObject => ({
  apiVersion,
  kind,
  metadata: namespace === "" ? { name } : { name, namespace },
});

async function removeObject(finding: Finding, { cluster, note }: Means): Promise<void> {
  try {
    await cluster.api.delete(identity(finding), "Background", {});
    note(`removed: ${objectOf(finding)}`);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Only what was seen is removed: the API server refuses it when something else stands there meanwhile. */
async function removeFields(findings: readonly Finding[], { cluster, note }: Means): Promise<void> {
  const [first] = findings;
  if (first === undefined) return;
  const tests = findings.map(({ path = [], live = null }) => ({
    op: "test",
    path: pointer(path),
    value: live,
  }));
  // From the end of each list, so that the places of the others stay.
  const removals = [...findings]
    .sort((a, b) => comparePaths(b.path ?? [], a.path ?? []))
    .map(({ path = [] }) => ({ op: "remove", path: pointer(path) }));
  try {
    const patch = [...tests, ...removals] as PropertyMap[];
    // By the name of Pulumi's provider, which takes over what it has created under that name.
    await cluster.api.jsonPatch(identity(first), patch, { fieldManager: "pulumi-kubernetes" });
    for (const finding of findings)
      note(`removed: ${objectOf(finding)}: ${finding.what.replace(/ was added$/, "")}`);
  } catch (error) {
    if (isNotFound(error)) return;
    if (error instanceof ApiError && error.code === 422) {
      throw new UserError(
        `${objectOf(first)} was changed meanwhile, or cannot be without it: ${error.message}\n` +
          "Run the command again.",
      );
    }
    throw error;
  }
}

function comparePaths(one: Path, other: Path): number {
  for (const [index, step] of one.entries()) {
    const against = other[index];
    if (against === undefined) return 1;
    if (step === against) continue;
    return typeof step === "number" && typeof against === "number"
      ? step - against
      : String(step).localeCompare(String(against));
  }
  return one.length - other.length;
}

function pointer(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
