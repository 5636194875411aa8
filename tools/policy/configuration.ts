import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Policy } from "../../policy/frame/policy";
import { UserError } from "../engine/report";

export type Level = "mandatory" | "remediate" | "advisory" | "disabled";

/** How a stack has the policies enforced, and with which settings; `policy/config/<stack>.json`. */
export interface Configuration {
  levelOf(policy: Policy): Level;
  settingsOf(policy: Policy): object;
}

type Entry = Level | ({ readonly enforcementLevel?: Level } & object);

/** @param stack without one, everything is mandatory and has its defaults */
export function readConfiguration(root: string, stack?: string): Configuration {
  const entries = stack === undefined ? {} : readEntries(root, stack);
  const level = (entry: Entry | undefined) => (typeof entry === "object" ? entry.enforcementLevel : entry);
  return {
    levelOf: (policy) =>
      level(entries[policy.name]) ?? level(entries.all) ?? policy.enforcement ?? "mandatory",
    settingsOf: (policy) => {
      const entry = entries[policy.name];
      if (typeof entry !== "object") return {};
      const settings = Object.entries(entry).filter(([key]) => key !== "enforcementLevel");
      return Object.fromEntries(settings);
    },
  };
}

/** Where a stack's policies are configured. A stack without the file has them all, with their defaults. */
export function configurationFile(root: string, stack: string): string {
  return join(root, "policy/config", `${stack}.json`);
}

function readEntries(root: string, stack: string): Record<string, Entry | undefined> {
  const file = configurationFile(root, stack);
  if (!existsSync(file))
    throw new UserError(`There are no policies configured for a stack "${stack}": ${file} does not exist.`);
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, Entry>;
  } catch (error) {
    throw new UserError(`${file} is no JSON: ${(error as Error).message}`);
  }
}
