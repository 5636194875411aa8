import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", ".build/", ".manifests/", ".pulumi-state/", "app/", "**/*.mjs"] },
  ...tseslint.configs.strict,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/no-non-null-assertion": "error",
      eqeqeq: "error",
    },
  },
  {
    // chai's assertions are property reads, which the rule takes for forgotten calls.
    files: ["test/**/*.ts"],
    rules: { "@typescript-eslint/no-unused-expressions": "off" },
  },
  {
    // Constructing is what a Pulumi program does: a resource that nothing refers to is still wanted.
    files: ["index.ts", "components/**/*.ts"],
    rules: { "no-new": "off" },
  },
  {
    // Only one file may read configuration: everything else takes Settings.
    files: ["components/**/*.ts", "index.ts"],
    ignores: ["components/config.ts", "components/config/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "NewExpression[callee.property.name='Config'], NewExpression[callee.name='Config']",
          message: "Only components/config.ts reads Pulumi configuration; take the value from Settings.",
        },
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: "Components never read the environment; add a setting.",
        },
      ],
    },
  },
  {
    files: ["policy/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["**/components/**"],
              message: "The pack imports nothing from components/: a shared helper would hide its own bug.",
            },
          ],
        },
      ],
    },
  },
);
