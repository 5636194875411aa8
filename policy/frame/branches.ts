import { type Answer, all, answerOf, expectOne, fits } from "./answers";
import { belongsTo, githubObjects, repositoryOf } from "./github";
import type { Field } from "./field";
import type { Judge } from "./policy";
import type { Target } from "./objects";
import type { Test } from "./tests";

/** What can protect a branch: a ruleset, and the older branch protection in both its versions. */
const protectionKinds = ["RepositoryRuleset", "BranchProtection", "BranchProtectionV3"] as const;
type ProtectionKind = (typeof protectionKinds)[number];

/** A value of a protection, and what it must be. */
export interface Wanted extends Omit<Test, "cel"> {
  readonly field: Field;
}

/** One thing that is wanted, by the kind of protection; `undefined` where a kind always has it. */
export type Need = Readonly<Record<ProtectionKind, (protection: Field) => Wanted | undefined>>;

export function githubProtections(objects: readonly Target[]): readonly Target[] {
  return githubObjects(objects, ...protectionKinds);
}

/** Whether a protection is in force on a branch. */
export function covers({ kind, root }: Target, branch: string): Answer {
  if (kind === "BranchProtectionV3") return answerOf(root.at("branch"), (value) => value === branch);
  if (kind === "BranchProtection") {
    return answerOf(root.at("pattern"), (value) => typeof value === "string" && fits(branch, [value]));
  }
  const names = root.at("conditions", "refName");
  return all(
    answerOf(root.at("target"), (value) => value === "branch"),
    answerOf(root.at("enforcement"), (value) => value === "active"),
    answerOf(names.at("includes"), (value) => includes(value, branch)),
    answerOf(names.at("excludes"), (value) => !includes(value, branch)),
  );
}

/** The default branch is main: the policy default-branch sees to it. */
function includes(value: unknown, branch: string): boolean {
  const patterns = Array.isArray(value)
    ? value.filter((item): item is string => typeof item === "string")
    : [];
  if (patterns.includes("~ALL") || (branch === "main" && patterns.includes("~DEFAULT_BRANCH"))) return true;
  return fits(`refs/heads/${branch}`, patterns);
}

/**
 * Expects of every repository's branches that one of the protections on each has what is needed: GitHub adds all of
 * them up. A branch without any is the policy branches-protected's to report.
 */
export function expectOnBranches(
  objects: readonly Target[],
  judgeOf: (object: Target) => Judge,
  branches: readonly string[],
  needs: readonly Need[],
): void {
  for (const group of byRepository(objects)) {
    for (const branch of branches) {
      const covering = group
        .map(([protection, belongs]) => [protection, all(belongs, covers(protection, branch))] as const)
        .filter(([, answer]) => answer !== false);
      const [first] = covering;
      if (first === undefined) continue;
      for (const need of needs) {
        const candidates = covering.map(([protection, answer]) => {
          const wanted = wantedOf(protection, need);
          return [
            protection,
            all(answer, wanted === undefined || answerOf(wanted.field, wanted.accepts)),
          ] as const;
        });
        expectOne(judgeOf, candidates, () => {
          const wanted = wantedOf(first[0], need);
          if (wanted === undefined) return;
          judgeOf(first[0]).expect(wanted.field, { ...wanted, wanted: `${wanted.wanted} on ${branch}` });
        });
      }
    }
  }
}

function wantedOf({ kind, root }: Target, need: Need): Wanted | undefined {
  return need[kind as ProtectionKind](root);
}

/** The protections of each repository, those of the stack and others that protections name. */
function byRepository(objects: readonly Target[]): readonly (readonly (readonly [Target, Answer])[])[] {
  const protections = githubProtections(objects);
  const own = githubObjects(objects, "Repository").map((repository) =>
    protections.map((protection) => [protection, belongsTo(protection, repository)] as const),
  );
  const placed = new Set(
    own.flat().flatMap(([protection, belongs]) => (belongs === false ? [] : [protection])),
  );
  const others = new Map<unknown, (readonly [Target, Answer])[]>();
  for (const protection of protections.filter((each) => !placed.has(each))) {
    const key = repositoryOf(protection).value;
    others.set(key, [...(others.get(key) ?? []), [protection, true]]);
  }
  return [...own, ...others.values()];
}
