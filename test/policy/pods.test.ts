import {
  appArmorRequired,
  noRootGroups,
  noSharedProcesses,
  noTerminals,
  ownServiceAccount,
  readOnlyRootFileSystem,
} from "../../policy/pods";
import { changed, goodPod, outcome, podTypes, unknown } from "../support/policy";
import { describePodPolicy } from "./cases";
import { expect } from "chai";

describe("policy/pods", () => {
  describePodPolicy(readOnlyRootFileSystem, {
    container: ["securityContext", "readOnlyRootFilesystem"],
    right: [true],
    wrong: [undefined, false],
  });
  for (const key of ["runAsGroup", "fsGroup"]) {
    describePodPolicy(noRootGroups, {
      pod: ["securityContext", key],
      right: [undefined, 10001],
      wrong: [0],
    });
  }
  describePodPolicy(noRootGroups, {
    pod: ["securityContext", "supplementalGroups", 0],
    right: [undefined, 10001],
    wrong: [0],
  });
  describePodPolicy(noRootGroups, {
    container: ["securityContext", "runAsGroup"],
    right: [undefined, 10001],
    wrong: [0],
  });
  describePodPolicy(noSharedProcesses, {
    pod: ["shareProcessNamespace"],
    right: [undefined, false],
    wrong: [true],
  });
  for (const key of ["tty", "stdin"]) {
    describePodPolicy(noTerminals, { container: [key], right: [undefined, false], wrong: [true] });
  }
  const profile = ["securityContext", "appArmorProfile", "type"];
  describePodPolicy(appArmorRequired, {
    container: profile,
    right: ["RuntimeDefault", "Localhost"],
    wrong: [undefined, "Unconfined", ""],
    settings: { required: true },
  });
  describePodPolicy(appArmorRequired, {
    container: profile,
    right: [undefined, "RuntimeDefault", "Localhost"],
    wrong: [],
    ignoresUnknown: true,
  });
  describePodPolicy(ownServiceAccount, {
    pod: ["automountServiceAccountToken"],
    right: [false],
    wrong: [undefined, true],
  });

  it("takes the pod's AppArmor profile for a container that names none, and no other's", () => {
    const ofPod = (type: string) => changed(goodPod(), ["spec", ...profile], type);
    const judged = (pod: object) => outcome(appArmorRequired, podTypes.Pod, pod, { required: true });
    expect(judged(ofPod("RuntimeDefault"))).to.deep.equal({ violations: [], undecided: [] });
    const path = "spec.securityContext.appArmorProfile.type";
    expect(judged(ofPod("Unconfined")).violations).to.deep.equal([path]);
    expect(judged(ofPod(unknown)).undecided).to.deep.equal([path]);
    const own = changed(ofPod("RuntimeDefault"), ["spec", "containers", 0, ...profile], "Unconfined");
    expect(judged(own).violations).to.deep.equal(["spec.containers[0].securityContext.appArmorProfile.type"]);
    // The API server refuses the field there.
    expect(judged(changed(goodPod(), ["spec", "os", "name"], "windows")).violations).to.be.empty;
  });

  it("lets somebody look into a pod", () => {
    const shell = { name: "shell", image: "registry.example/tools:1", stdin: true, tty: true };
    const pod = changed(goodPod(), ["spec", "ephemeralContainers"], [shell]);
    expect(outcome(noTerminals, podTypes.Pod, pod).violations).to.be.empty;
  });

  it("lets a pod use the API through a service account of its own, not the default one", () => {
    const mounting = changed(goodPod(), ["spec", "automountServiceAccountToken"], undefined);
    const account = (name: string) => changed(mounting, ["spec", "serviceAccountName"], name);
    expect(outcome(ownServiceAccount, podTypes.Pod, account("metrics-server")).violations).to.be.empty;
    expect(outcome(ownServiceAccount, podTypes.Pod, account("default")).violations).to.have.length(1);
    expect(outcome(ownServiceAccount, podTypes.Pod, account(unknown)).undecided).to.deep.equal([
      "spec.serviceAccountName",
    ]);
  });
});
