import type { ObjectPolicy } from "./frame/policy";
import type { Run } from "./frame/run";

/** The first of the pack: the engine gives a policy its settings with the resource, and all others need this one's. */
export function undecidedPolicies(run: Run): ObjectPolicy<{ block: boolean }> {
  return {
    name: "undecided-policies",
    area: "stack",
    severity: "medium",
    description: "A stack may demand that every policy is decided in the preview.",
    why: "What is decided during the update is decided after other resources have been changed already.",
    remedy: [
      "Give the field a value that is known before the update, such as an image's digest from the settings.",
      "Or update in two steps, so that what the value comes from exists before.",
    ],
    link: "https://www.pulumi.com/docs/insights/policy/policy-packs/authoring/",
    parameters: {
      block: {
        type: "boolean",
        description:
          "Whether a preview fails by a mandatory policy that needs a value which is not known yet.",
        default: false,
      },
    },
    checkObject(_object, _judge, { block }) {
      run.undecidedBlocks = block;
    },
  };
}
