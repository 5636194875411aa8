import { createRequire, findSourceMap, type SourceMapPayload } from "node:module";
import { fileURLToPath } from "node:url";
import { exchangePlainStructs, type StructModule } from "../rpc/structs";
import { loadSerializationLazily } from "./lazy";

interface SourceMapSupport {
  install(options: { retrieveSourceMap: (path: string) => { url: string; map: unknown } | null }): void;
}

type PrepareStack = (error: Error, frames: NodeJS.CallSite[]) => string;

const NO_MAPPINGS = { version: 3, sources: [], names: [], mappings: "" };

/**
 * Loaded before the SDK's runner, in the program's own process. The SDK writes down a stack for every promise that
 * it makes, translated to TypeScript, which is a third of the time that a program takes to register its resources.
 * So each position is translated once, and those inside of installed packages not at all: their TypeScript is not
 * installed, and it would be at paths such as `node_modules/@pulumi/resource.ts`, with which util.inspect of
 * Node 20.20 never comes to an end, so that the error that the user should see would hang the program instead.
 *
 * What was compiled in memory, as tsx does, has its map in memory only, where the SDK does not look.
 */
export function speedUpStacks(support: SourceMapSupport): void {
  support.install({
    retrieveSourceMap: (path) => {
      if (/[/\\]node_modules[/\\]/.test(path)) return { url: path, map: NO_MAPPINGS };
      const map = findSourceMap(path)?.payload;
      return map === undefined ? null : { url: path, map: withPaths(map) };
    },
  });
  const translate = Error.prepareStackTrace as PrepareStack | undefined;
  if (translate) Error.prepareStackTrace = rememberFrames(translate);
}

/** The SDK reads what a map calls its sources as paths only. */
function withPaths(map: SourceMapPayload): SourceMapPayload {
  const path = (source: string) => (source.startsWith("file:") ? fileURLToPath(source) : source);
  return { ...map, sources: map.sources.map(path) };
}

/** The same stacks as `translate` makes, each frame only once. */
export function rememberFrames(translate: PrepareStack): PrepareStack {
  const nameless = new Error();
  const headerLength = translate(nameless, []).length;
  const lines = new Map<string, string>();
  const lineOf = (frame: NodeJS.CallSite): string => {
    const position = frame.toString();
    const known = lines.get(position);
    if (known !== undefined) return known;
    const line = translate(nameless, [frame]).slice(headerLength);
    lines.set(position, line);
    return line;
  };
  return (error, frames) => translate(error, []) + frames.map(lineOf).join("");
}

const runner = process.argv[1];
if (runner) {
  loadSerializationLazily();
  // The SDK's own copies, so that its later calls find these rules in place.
  const load = createRequire(runner);
  try {
    speedUpStacks(load("source-map-support") as SourceMapSupport);
  } catch {
    // An SDK without source maps has nothing to be kept from.
  }
  try {
    exchangePlainStructs(load("google-protobuf/google/protobuf/struct_pb") as StructModule);
  } catch {
    // One with another library speaks as that does.
  }
}
