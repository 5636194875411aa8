import { changed, goodContainer, goodPod, outcome, podTypes } from "../support/policy";
import { describePodPolicy } from "./cases";
import { expect } from "chai";
import { requestsAndLimits } from "../../policy/resources";

describe("policy/resources", () => {
  for (const [key, resource] of [
    ["requests", "cpu"],
    ["requests", "memory"],
    ["limits", "memory"],
    ["limits", "cpu"],
  ] as const) {
    describePodPolicy(requestsAndLimits, {
      container: ["resources", key, resource],
      right: ["1", 1, "128Mi"],
      wrong: [undefined, null],
    });
  }
  describePodPolicy(requestsAndLimits, {
    container: ["resources", "limits", "cpu"],
    settings: { cpuLimit: false },
    right: ["1", undefined],
    wrong: [],
    ignoresUnknown: true,
  });

  it("names all four when there are none", () => {
    const pod = changed(goodPod(), ["spec", "containers", 0, "resources"], undefined);
    expect(outcome(requestsAndLimits, podTypes.Pod, pod).violations).to.have.length(4);
  });

  it("asks nothing of ephemeral containers, which may not have any", () => {
    const bare = changed(goodContainer(), ["resources"], undefined);
    const pod = changed(goodPod(), ["spec", "ephemeralContainers"], [bare]);
    expect(outcome(requestsAndLimits, podTypes.Pod, pod).violations).to.be.empty;
  });
});
