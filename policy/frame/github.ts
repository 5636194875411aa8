import { any, type Answer, answerOf } from "./answers";
import type { Field } from "./field";
import { isAbsent } from "./tests";
import type { Target } from "./objects";

/** The objects of GitHub of these kinds. */
export function githubObjects(objects: readonly Target[], ...kinds: readonly string[]): readonly Target[] {
  return objects.filter(({ group, kind }) => group === "github" && kinds.includes(kind));
}

/** The field that names the repository which an object belongs to. */
export function repositoryOf({ kind, root }: Target): Field {
  return root.at(kind === "BranchProtection" ? "repositoryId" : "repository");
}

/** Whether an object belongs to a repository: it refers to it by its name, some also by its node ID. */
export function belongsTo(object: Target, repository: Target): Answer {
  const reference = repositoryOf(object);
  if (reference.unknown) return reference;
  const names = object.kind === "BranchProtection" ? ["name", "nodeId"] : ["name"];
  return any(
    ...names
      .map((key) => repository.root.at(key))
      .map((name) => answerOf(name, (value) => !isAbsent(value) && value === reference.value)),
  );
}
