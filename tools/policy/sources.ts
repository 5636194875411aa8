import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export interface SourcePlace {
  /** Relative to the repository. */
  readonly file: string;
  readonly line: number;
}

/** Tells where in the program a resource is made: the constructor of the component that holds it, or `index.ts`. */
export function sourcePlaces(root: string): (urn: string) => SourcePlace {
  const components = new Map<string, SourcePlace>();
  for (const entry of readdirSync(join(root, "components"), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const path = join(entry.parentPath, entry.name);
    readFileSync(path, "utf8")
      .split("\n")
      .forEach((text, index) => {
        const [, type] = /super\("(technova:[^"]+)"/.exec(text) ?? [];
        if (type !== undefined) components.set(type, { file: relative(root, path), line: index + 1 });
      });
  }
  return (urn) => {
    const types = (urn.split("::")[2] ?? "").split("$").reverse();
    const found = types.map((type) => components.get(type)).find((place) => place !== undefined);
    return found ?? { file: "index.ts", line: 1 };
  };
}
