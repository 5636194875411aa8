import { expect } from "chai";
import { omit } from "../../../tools/plugins/kubernetes/object";
import type { Json, JsonObject, Registered } from "../../support/mocks";
import { runProgram, stackConfig, stacks } from "../../support/stacks";
import { kubernetes, running, secretMark, type Body, type Thing } from "./things";
import { World } from "./world";

/** The platform as the program makes it, in a cluster that has exactly that. */
describe("controls of the platform itself", () => {
  for (const stack of stacks) {
    it(`of ${stack}: none fails, and none is left unanswered`, async function () {
      this.timeout(180_000);
      const world = new World();
      const { resources } = await runProgram(stack);
      world.stack = stack;
      world.settings = stackConfig(stack);
      world.exceptions = undefined;
      world.state = resources.filter(({ type }) => !/^(technova|pulumi):/.test(type)).map(toThing);
      world.live = running(world.state);
      const judged = await world.judged();
      const wrong = judged.filter(({ verdict }) => verdict === "fails" || verdict === "unknown");
      expect(wrong.map(({ control, evidence, details }) => [control.id, evidence, details])).to.deep.equal(
        [],
      );
      const excepted = judged
        .filter(({ verdict }) => verdict === "excepted")
        .map(({ control }) => control.id);
      expect(excepted).to.include.members(["images-are-signed", "rights-are-small"]);
    });
  }
});

function toThing({ type, name: title, inputs }: Registered): Thing {
  const [, version = "", kind = ""] = type.split(":");
  const stated = secretsMarked(inputs) as Body;
  if (!type.startsWith("kubernetes:")) return { type, title, object: inputs, inputs: stated, path: [] };
  const metadata = { name: `${title}-1a2b3c4d`, ...(inputs.metadata as JsonObject) };
  const plural = `${kind.toLowerCase()}s`.replace(/ys$/, "ies");
  const rest = omit(inputs, "apiVersion", "kind", "metadata");
  const made = kubernetes(version.replace(/^core\//, ""), kind, plural, metadata, rest);
  return { ...made, type, title, inputs: { ...stated, apiVersion: made.object.apiVersion, kind, metadata } };
}

/** As the state has what the mocks show as secret. */
function secretsMarked(value: Json): unknown {
  if (value === "[secret]") return { ...secretMark, plaintext: JSON.stringify("not shown") };
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(secretsMarked);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, secretsMarked(each)]));
}
