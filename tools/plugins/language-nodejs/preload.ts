import { createRequire } from "node:module";

interface SourceMapSupport {
  install(options: { retrieveSourceMap: (path: string) => { url: string; map: string } | null }): void;
}

const NO_MAPPINGS = JSON.stringify({ version: 3, sources: [], names: [], mappings: "" });

/**
 * Loaded before the SDK's runner, in the program's own process. Positions inside of installed packages are left as
 * they are, while those of the program still lead to its TypeScript:
 *
 * - The SDK writes down a stack for every promise it makes. To translate these into its own TypeScript sources,
 *   which are not installed, is a third of the time that a program takes to register its resources.
 * - Translated, they point to `node_modules/@pulumi/resource.ts`, a path with which util.inspect of Node 20.20 never
 *   comes to an end: the error that the user should see would hang the program instead.
 */
export function keepInstalledPositions(support: SourceMapSupport): void {
  support.install({
    retrieveSourceMap: (path) =>
      /[/\\]node_modules[/\\]/.test(path) ? { url: path, map: NO_MAPPINGS } : null,
  });
}

const runner = process.argv[1];
if (runner) {
  try {
    // The SDK's own copy, so that its later call finds these rules in place.
    keepInstalledPositions(createRequire(runner)("source-map-support") as SourceMapSupport);
  } catch {
    // An SDK without source maps has nothing to be kept from.
  }
}
