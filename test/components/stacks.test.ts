import { expectGolden } from "../support/golden";
import { runProgram, stacks } from "../support/stacks";

describe("the three stacks", () => {
  for (const stack of stacks) {
    it(`${stack} registers what its golden file says`, async () => {
      const { resources } = await runProgram(stack, { preview: true });
      expectGolden(stack, resources);
    });
  }
});
