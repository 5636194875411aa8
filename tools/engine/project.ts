import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { UserError } from "./report";

/** The checkout: the folder that holds Pulumi.yaml. */
export const projectRoot = join(__dirname, "../..");

const projectFile = z.object({ name: z.string() });

/** Name of the Pulumi project of a checkout. */
export function projectName(root: string): string {
  return projectFile.parse(parse(readFileSync(join(root, "Pulumi.yaml"), "utf8"))).name;
}

/** The tracked settings of a stack. */
export function stackFile(root: string, stack: string): string {
  return join(root, `Pulumi.${stack}.yaml`);
}

/** Stacks that have a settings file. */
export function knownStacks(root: string): string[] {
  return readdirSync(root)
    .map((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .sort();
}

/** @throws UserError naming the stacks that there are. */
export function requireStackFile(root: string, stack: string): void {
  if (existsSync(stackFile(root, stack))) return;
  throw new UserError(
    `There is no Pulumi.${stack}.yaml. Stacks with settings: ${knownStacks(root).join(", ")}; choose one with --stack.`,
  );
}

const settings = z.object({
  config: z.record(z.string(), z.unknown()).nullish(),
  secretsprovider: z.string().optional(),
  encryptedkey: z.string().optional(),
  encryptionsalt: z.string().optional(),
});
export type StackSettings = z.infer<typeof settings>;

/**
 * Reads the parts of a stack's settings that the tools need; unknown keys are the CLI's business.
 * @throws UserError when the file is no YAML mapping.
 */
export function parseStackSettings(text: string, path: string): StackSettings {
  try {
    return settings.parse(parse(text) ?? {});
  } catch (error) {
    throw new UserError(
      `${path} cannot be read as stack settings: ${error instanceof Error ? error.message : ""}`,
    );
  }
}

export function readStackSettings(root: string, stack: string): StackSettings {
  requireStackFile(root, stack);
  const path = stackFile(root, stack);
  return parseStackSettings(readFileSync(path, "utf8"), path);
}
