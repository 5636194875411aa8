import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parse } from "yaml";
import { register, type Recording, type RegisterOptions } from "./mocks";

const root = join(__dirname, "../..");

export const stacks = ["local", "staging", "production"] as const;
export type StackName = (typeof stacks)[number];

/** The values of `Pulumi.<stack>.yaml` by full key, as they stand there. */
export function stackConfig(stack: StackName): Record<string, unknown> {
  const { config } = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as {
    config: Record<string, unknown>;
  };
  return config;
}

/** The same as the engine passes it to a program: objects as JSON. */
export function asEngineConfig(config: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** Runs the whole program with a stack's own settings, or others. */
export function runProgram(
  stack: StackName,
  options: Omit<RegisterOptions, "stack"> = {},
): Promise<Recording<Record<string, unknown>>> {
  const load = createRequire(__filename);
  const program = load.resolve("../../index");
  // The program is what its module does when it is loaded; its components may stay.
  Reflect.deleteProperty(load.cache, program);
  return register(() => load(program) as Record<string, unknown>, {
    config: asEngineConfig(stackConfig(stack)),
    ...options,
    stack,
  });
}
