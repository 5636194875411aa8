import { expect } from "chai";
import { join } from "node:path";
import { flowTable } from "../../components/cluster/flowTable";
import { rulesPage } from "../support/falco/page";
import { flowPage } from "../support/flowPage";
import { expectFile, expectGolden } from "../support/golden";
import { load } from "../support/settings";
import { runProgram, stackConfig, stacks } from "../support/stacks";

describe("the three stacks", () => {
  for (const stack of stacks) {
    it(`${stack} registers what its golden file says`, async () => {
      const { resources } = await runProgram(stack, { preview: true });
      expectGolden(stack, resources);
    });
  }

  for (const stack of stacks) {
    it(`${stack} makes no object before the definition of its kind`, async () => {
      const { resources } = await runProgram(stack, { preview: true });
      const waitsFor = (name: string, seen = new Set<string>()): Set<string> => {
        // A child waits for what its parent waits for; components may share a name.
        for (const { dependsOn, parent } of resources.filter((resource) => resource.name === name)) {
          for (const next of [...dependsOn, ...(parent === undefined ? [] : [parent])]) {
            if (seen.has(next)) continue;
            seen.add(next);
            waitsFor(next, seen);
          }
        }
        return seen;
      };
      const kinds = resources
        .filter(({ type }) => type.endsWith(":CustomResourceDefinition"))
        .map(({ name, inputs }) => {
          const { group, names } = inputs.spec as { group: string; names: { kind: string } };
          return { name, kind: new RegExp(`^kubernetes:${group}/[^:]+:${names.kind}$`) };
        });
      const early = resources.flatMap(({ type, name }) =>
        kinds
          .filter((definition) => definition.kind.test(type) && !waitsFor(name).has(definition.name))
          .map((definition) => `${name} does not wait for ${definition.name}`),
      );
      expect(early).to.deep.equal([]);
    });
  }

  it("allow the flows that their page shows", async () => {
    const tables: Record<string, ReturnType<typeof flowTable>> = {};
    for (const stack of stacks) tables[stack] = flowTable(await load(stackConfig(stack), []));
    const page = join(__dirname, "../../components/cluster/flows.md");
    expectFile(page, await flowPage(tables, "production"));
  });

  it("are watched by the rules that their page shows", async () => {
    expectFile(join(__dirname, "../../components/addons/falco/rules.md"), await rulesPage());
  });
});
