import type { Flow } from "../../../cluster/flows";
import { flowMacros } from "./flowMacros";
import { rules } from "./index";
import { lists, macros } from "./macros";
import type { List, Macro } from "./rule";

/** Fields that every event has: where it was, and which program of whose. */
const where = [
  "k8s.ns.name",
  "k8s.pod.name",
  "container.name",
  "container.id",
  "container.image.repository",
  "container.image.tag",
  "proc.name",
  "proc.exepath",
  "proc.pname",
  "proc.pid",
  "user.uid",
  // The receiver hides what looks like a secret before anybody sees it.
  "proc.cmdline",
] as const;

/** The oldest engine that knows every field, and the plugin that brings those of containers: Falco 0.44's. */
const requirements = [
  { required_engine_version: "0.62.0" },
  { required_plugin_versions: [{ name: "container", version: "0.7.1" }] },
] as const;

export interface RulesFileArgs {
  /** All traffic that the stack allows. */
  readonly flows: readonly Flow[];
  /** Names of the platform's namespaces. */
  readonly namespaces: readonly string[];
  /** Names of rules that are not asked. */
  readonly disabledRules: readonly string[];
}

/** An entry of a rules file. */
export type RulesEntry =
  | (typeof requirements)[number]
  | List
  | Macro
  | {
      readonly rule: string;
      readonly desc: string;
      readonly condition: string;
      readonly output: string;
      readonly priority: string;
      readonly source: "syscall";
      readonly tags: readonly string[];
      readonly enabled: boolean;
    };

/** The rules file that Falco reads. */
export function rulesFile({ flows, namespaces, disabledRules }: RulesFileArgs): readonly RulesEntry[] {
  return [
    ...requirements,
    ...lists(namespaces),
    ...macros,
    ...flowMacros(flows, namespaces),
    ...rules.map(({ rule, description, condition, evidence, priority, techniques }) => ({
      rule,
      desc: description,
      condition,
      output: outputOf(description, evidence),
      priority,
      source: "syscall" as const,
      tags: techniques,
      enabled: !disabledRules.includes(rule),
    })),
  ];
}

function outputOf(description: string, evidence: readonly string[]): string {
  const fields = [...where, ...evidence].map((field) => `${field}=%${field}`);
  return `${description} | ${fields.join(" ")}`;
}
