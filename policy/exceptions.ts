import { Exceptions, longestDays, problemsOf, stackOf, type Exception } from "./frame/exceptions";
import type { Policy, StackPolicy } from "./frame/policy";
import { Field } from "./frame/field";
import type { Target } from "./frame/objects";

/** The policies about exceptions from the others, which are listed in `exceptions.json`. */

const area = "stack";
const link = "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final";

/**
 * @param names of the policies that there are
 */
export function exceptionPolicies(exceptions: Exceptions, names: readonly string[]): readonly Policy[] {
  return [wholeExceptions(exceptions, names), exceptionsInUse(exceptions)];
}

function wholeExceptions({ entries, today }: Exceptions, names: readonly string[]): StackPolicy {
  return {
    name: "whole-exceptions",
    area,
    severity: "high",
    description: `Every exception names a policy, a resource, a reason, an owner, and as its end a day within ${longestDays} days.`,
    why: "An exception that nobody answers for, or that never ends, is a policy that does not hold. It excuses nothing.",
    remedy: [
      "Complete the entry in policy/exceptions.json, or remove it.",
      "If it is over, mend the resource; only if that cannot be, have its owner set another day.",
    ],
    link,
    checkStack(objects, judgeOf) {
      entries.forEach((entry, index) => {
        if (!concerns(entry, objects)) return;
        const problems = problemsOf(entry, today);
        if (!names.includes(entry.policy))
          problems.push(`policy is ${JSON.stringify(entry.policy)}: there is none`);
        for (const problem of problems) judgeOf().report(place(index, entry), problem);
      });
    },
  };
}

function exceptionsInUse(exceptions: Exceptions): StackPolicy {
  return {
    name: "exceptions-in-use",
    area,
    severity: "low",
    enforcement: "advisory",
    description: "Exceptions are seen in every run, and go when nothing needs them any more.",
    why: "What is not seen stays, and would excuse the next resource that happens to fit.",
    remedy: [
      "Remove an unused entry from policy/exceptions.json; mend what the others are for before they end.",
    ],
    link,
    checkStack(objects, judgeOf) {
      exceptions.entries.forEach((entry, index) => {
        if (!concerns(entry, objects) || problemsOf(entry, exceptions.today).length > 0) return;
        judgeOf().report(
          place(index, entry),
          `${useOf(entry, exceptions)}; ${entry.policy}, until ${entry.expires}, ${entry.owner}: ${entry.reason}`,
        );
      });
    },
  };
}

function useOf(entry: Exception, exceptions: Exceptions): string {
  const needed = [...exceptions.resourcesOf(entry)];
  if (needed.length > 0) return `lets ${needed.join(", ")} be`;
  if (entry.madeBy !== undefined) return `lets be what ${entry.madeBy} makes in the cluster`;
  return "is not needed by any resource";
}

/** Whether an exception is for this stack; one that does not say so is everybody's concern. */
function concerns(entry: Exception, objects: readonly Target[]): boolean {
  const stack = stackOf(objects[0]?.resource.urn ?? "");
  return !Array.isArray(entry.stacks) || entry.stacks.length === 0 || entry.stacks.includes(stack);
}

function place(index: number, entry: Exception): Field {
  return Field.root({ exceptions: { [index]: entry } })
    .at("exceptions")
    .at(index);
}
