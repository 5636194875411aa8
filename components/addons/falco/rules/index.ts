import { fileRules } from "./files";
import { networkRules } from "./network";
import { privilegeRules } from "./privileges";
import { programRules } from "./programs";
import { priorities, type Rule } from "./rule";

/** Falco takes the first rule that applies to an event: the graver ones are asked first. */
export const rules: readonly Rule[] = [
  ...programRules,
  ...fileRules,
  ...privilegeRules,
  ...networkRules,
].sort((a, b) => priorities.indexOf(a.priority) - priorities.indexOf(b.priority));

export const ruleNames: readonly string[] = rules.map(({ rule }) => rule);
