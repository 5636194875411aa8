/* eslint-disable @typescript-eslint/no-require-imports -- the host requires this file as CommonJS */
// The engine's host would type-check TypeScript on every run: 3 s. tsx only removes the types.
require("tsx/cjs");
require("./index.ts");
