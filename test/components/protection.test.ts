import { expect } from "chai";
import type { JsonObject } from "../support/mocks";
import { get } from "../support/workloads";
import { runProgram } from "../support/stacks";

describe("the protection of what cannot be made again", () => {
  const stays = ["PersistentVolumeClaim", "StatefulSet", "Repository"];
  const volumes = (inputs: JsonObject) => {
    const templates = get(inputs, "spec", "volumeClaimTemplates");
    return Array.isArray(templates) && templates.length > 0;
  };

  it("is on volumes and the repository of production, and on nothing else", async () => {
    const { resources } = await runProgram("production");
    const expected = resources.filter(({ type, inputs }) => {
      const kind = type.split(":").at(-1) ?? "";
      return stays.includes(kind) && (kind !== "StatefulSet" || volumes(inputs));
    });
    expect(expected.map(({ name }) => name))
      .to.include("github-repository")
      .and.to.include("prometheus-server");
    expect(resources.filter(({ protect }) => protect).map(({ name }) => name)).to.have.members(
      expected.map(({ name }) => name),
    );
  });

  it("is on nothing where the stack does not ask for it", async () => {
    const { resources } = await runProgram("local");
    expect(resources.filter(({ protect }) => protect)).to.deep.equal([]);
  });
});
