import {
  dropAllCapabilities,
  noHostNamespaces,
  noHostPaths,
  noHostPorts,
  noPrivilegedContainers,
  noPrivilegeEscalation,
  noRootContainers,
  ownServiceAccount,
  readOnlyRootFileSystem,
  seccompProfile,
} from "../../policy/pods";
import { changed, goodPod, outcome, type Path, podTypes, unknown } from "../support/policy";
import { describePodPolicy } from "./cases";
import { expect } from "chai";

const securityContext: Path = ["securityContext"];

describe("policy/pods", () => {
  describePodPolicy(noPrivilegedContainers, {
    container: [...securityContext, "privileged"],
    right: [undefined, false],
    wrong: [true],
  });
  describePodPolicy(noRootContainers, {
    container: [...securityContext, "runAsNonRoot"],
    right: [true],
    wrong: [undefined, false],
  });
  describePodPolicy(noRootContainers, {
    container: [...securityContext, "runAsUser"],
    right: [undefined, 10001],
    wrong: [0],
  });
  describePodPolicy(noPrivilegeEscalation, {
    container: [...securityContext, "allowPrivilegeEscalation"],
    right: [false],
    wrong: [undefined, true],
  });
  describePodPolicy(dropAllCapabilities, {
    container: [...securityContext, "capabilities", "drop"],
    right: [["ALL"], ["NET_RAW", "ALL"]],
    wrong: [undefined, [], ["NET_RAW"], ["all"]],
  });
  describePodPolicy(dropAllCapabilities, {
    container: [...securityContext, "capabilities", "add", 0],
    right: [undefined, "NET_BIND_SERVICE"],
    wrong: ["SYS_ADMIN", "NET_ADMIN"],
  });
  describePodPolicy(readOnlyRootFileSystem, {
    container: [...securityContext, "readOnlyRootFilesystem"],
    right: [true],
    wrong: [undefined, false],
  });
  describePodPolicy(seccompProfile, {
    container: [...securityContext, "seccompProfile", "type"],
    right: ["RuntimeDefault", "Localhost"],
    wrong: [undefined, "Unconfined"],
  });
  for (const key of ["hostNetwork", "hostPID", "hostIPC"]) {
    describePodPolicy(noHostNamespaces, { pod: [key], right: [undefined, false], wrong: [true] });
  }
  describePodPolicy(noHostPaths, {
    pod: ["volumes", 0, "hostPath"],
    right: [undefined],
    wrong: [{ path: "/var/run" }, {}],
  });
  describePodPolicy(noHostPorts, {
    container: ["ports", 0, "hostPort"],
    right: [undefined, 0],
    wrong: [8080],
  });
  describePodPolicy(ownServiceAccount, {
    pod: ["automountServiceAccountToken"],
    right: [false],
    wrong: [undefined, true],
  });

  describe("settings that the pod gives its containers", () => {
    const podContext = ["spec", "securityContext"];
    const withoutOwn = (key: string) =>
      changed(goodPod(), ["spec", "containers", 0, "securityContext", key], undefined);

    it("count where the container has none", () => {
      const user = changed(withoutOwn("runAsNonRoot"), [...podContext, "runAsNonRoot"], true);
      expect(outcome(noRootContainers, podTypes.Pod, user).violations).to.be.empty;
      const profile = changed(withoutOwn("seccompProfile"), [...podContext, "seccompProfile"], {
        type: "RuntimeDefault",
      });
      expect(outcome(seccompProfile, podTypes.Pod, profile).violations).to.be.empty;
    });

    it("are overridden by the container's own", () => {
      const pod = changed(goodPod(), [...podContext, "runAsUser"], 0);
      expect(outcome(noRootContainers, podTypes.Pod, pod).violations).to.deep.equal([
        "spec.securityContext.runAsUser",
      ]);
      const own = changed(pod, ["spec", "containers", 0, "securityContext", "runAsUser"], 10001);
      expect(outcome(noRootContainers, podTypes.Pod, own).violations).to.be.empty;
    });

    it("are reported where they are, if they are unknown", () => {
      const pod = changed(withoutOwn("runAsNonRoot"), [...podContext, "runAsNonRoot"], unknown);
      expect(outcome(noRootContainers, podTypes.Pod, pod)).to.deep.equal({
        violations: [],
        undecided: ["spec.securityContext.runAsNonRoot"],
      });
    });
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
