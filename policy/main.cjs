// The engine's host would type-check TypeScript on every run: 3 s. tsx only removes the types.
require("tsx/cjs");
require("./index.ts");
