import { changed, goodContainer, goodPod, outcome, podTypes, unknown } from "../support/policy";
import { describePodPolicy } from "./cases";
import { expect } from "chai";
import {
  boundedScratchSpace,
  maximumContainerSize,
  memoryLimitNearRequest,
  requestsAndLimits,
} from "../../policy/resources";

describe("policy/resources", () => {
  for (const [key, resource] of [
    ["requests", "cpu"],
    ["requests", "memory"],
    ["limits", "memory"],
    ["limits", "cpu"],
  ] as const) {
    describePodPolicy(requestsAndLimits, {
      container: ["resources", key, resource],
      right: ["1", 1, "128Mi", 0.5],
      wrong: [undefined, null, 0, "0", "0Mi", "0m", "-1", "much"],
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

  describePodPolicy(memoryLimitNearRequest, {
    container: ["resources", "limits", "memory"],
    right: [undefined, "128Mi", "512Mi", "536870912", 536870912, "0.5Gi"],
    wrong: ["513Mi", "536870913", "1G", "much"],
  });
  describePodPolicy(memoryLimitNearRequest, {
    container: ["resources", "limits", "memory"],
    settings: { maximumRatio: 1.5 },
    right: ["192Mi"],
    wrong: ["193Mi", "201326593"],
  });

  describe(`${memoryLimitNearRequest.name}: the request`, () => {
    const judged = (request: unknown) => {
      const path = ["spec", "containers", 0, "resources", "requests", "memory"];
      return outcome(memoryLimitNearRequest, podTypes.Pod, changed(goodPod(), path, request));
    };
    const at = (key: string) => `spec.containers[0].resources.${key}.memory`;

    it("takes one that is left out for the limit", () => expect(judged(undefined).violations).to.be.empty);
    it("refuses one far below", () => expect(judged("31Mi").violations).to.deep.equal([at("limits")]));
    it("refuses what is no quantity", () => expect(judged("few").violations).to.deep.equal([at("requests")]));
    it("says so when it is unknown", () => {
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided: [at("requests")] });
    });
  });

  for (const key of ["requests", "limits"]) {
    describePodPolicy(maximumContainerSize, {
      container: ["resources", key, "cpu"],
      right: [undefined, "8", 8, "8000m", "100m", ...(key === "requests" ? [0] : [])],
      wrong: ["8001m", "80", 9, "many"],
    });
    describePodPolicy(maximumContainerSize, {
      container: ["resources", key, "memory"],
      settings: { maximumCpu: "1", maximumMemory: "1Gi" },
      right: [undefined, "1Gi", "1073741824", "1G"],
      wrong: ["1073741825", "2Gi", "1T"],
    });
  }
  for (const resource of ["cpu", "memory"]) {
    describePodPolicy(maximumContainerSize, {
      container: ["resources", "limits", resource],
      right: [null],
      wrong: [0, "0", "0Mi", "0m"],
    });
  }
  it("refuses a maximum that is no quantity", () => {
    const settings = { maximumMemory: "much" };
    expect(() => outcome(maximumContainerSize, podTypes.Pod, goodPod(), settings)).to.throw(
      'maximumMemory is "much"',
    );
  });

  describePodPolicy(boundedScratchSpace, {
    pod: ["volumes", 0, "emptyDir"],
    right: [{ sizeLimit: "64Mi" }, { medium: "Memory", sizeLimit: "64Mi" }, { sizeLimit: 1048576 }],
    wrong: [{}, { medium: "Memory" }, { sizeLimit: null }, { sizeLimit: "0" }, { sizeLimit: "big" }],
  });
  describePodPolicy(boundedScratchSpace, {
    pod: ["volumes", 0],
    right: [
      { name: "data", configMap: { name: "data" } },
      { name: "data", configMap: unknown },
      { name: "data", emptyDir: null, configMap: { name: "data" } },
    ],
    wrong: [{ name: "data" }, {}, { name: "data", emptyDir: null }],
  });
});
