import Module from "node:module";

interface Loader {
  _load(request: string, parent: NodeModule | undefined, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: NodeModule | undefined): string;
}

/** What the SDK needs to serialize functions, which few programs ask it for: a fifth of the time a program starts in. */
const SERIALIZATION = new Set(["typescript", "@npmcli/arborist"]);
const REQUESTER = /[/\\]@pulumi[/\\]pulumi[/\\](runtime[/\\]closure[/\\][^/\\]+|typescript-shim)\.js$/;

/** Lets the SDK load the modules that it serializes functions with when it first uses them. */
export function loadSerializationLazily(loader = Module as unknown as Loader): void {
  const load = loader._load.bind(loader);
  loader._load = (request, parent, isMain) => {
    if (!SERIALIZATION.has(request) || !REQUESTER.test(parent?.filename ?? "")) {
      return load(request, parent, isMain);
    }
    // One that is not installed fails where it is asked for: the SDK then takes another.
    loader._resolveFilename(request, parent);
    return lazy(() => load(request, parent, isMain) as object);
  };
}

/** Stands for a CommonJS module that is loaded when one of its members is first used. */
export function lazy(load: () => object): object {
  let loaded: object | undefined;
  const module = () => (loaded ??= load());
  return new Proxy(
    {},
    {
      get(_, member) {
        // What compiled imports look at first; "yes" lets them take the module as it is.
        if (member === "__esModule") return true;
        return Reflect.get(module(), member) ?? (member === "default" ? module() : undefined);
      },
      has: (_, member) => Reflect.has(module(), member),
    },
  );
}
