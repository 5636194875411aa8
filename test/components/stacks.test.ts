import { join } from "node:path";
import { flowTable } from "../../components/cluster/flowTable";
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

  it("allow the flows that their page shows", async () => {
    const tables: Record<string, ReturnType<typeof flowTable>> = {};
    for (const stack of stacks) tables[stack] = flowTable(await load(stackConfig(stack), []));
    const page = join(__dirname, "../../components/cluster/flows.md");
    expectFile(page, await flowPage(tables, "production"));
  });
});
