import {
  appArmorProfile,
  defaultProcMount,
  noAddedCapabilities,
  noHostNamespaces,
  noHostPaths,
  noHostPorts,
  noHostProcesses,
  noHostsInProbes,
  noPrivilegedContainers,
  noUnconfinedSeccomp,
  safeSysctlsOnly,
  seLinuxOptions,
} from "../../policy/podSecurityBaseline";
import {
  dropAllCapabilities,
  noPrivilegeEscalation,
  noRootContainers,
  noRootUser,
  restrictedVolumeTypes,
  seccompProfile,
} from "../../policy/podSecurityRestricted";
import {
  changed,
  goodPod,
  holding,
  outcome,
  type Path,
  podTypes,
  templatePath,
  unknown,
  written,
} from "../support/policy";
import { describePodPolicy } from "./cases";
import { expect } from "chai";

const securityContext: Path = ["securityContext"];

describe("the Pod Security Standards", () => {
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
  describePodPolicy(noHostProcesses, {
    pod: [...securityContext, "windowsOptions", "hostProcess"],
    right: [undefined, false],
    wrong: [true],
  });
  describePodPolicy(noHostProcesses, {
    container: [...securityContext, "windowsOptions", "hostProcess"],
    right: [undefined, false],
    wrong: [true],
  });
  describePodPolicy(noAddedCapabilities, {
    container: [...securityContext, "capabilities", "add", 0],
    right: [undefined, "NET_BIND_SERVICE", "CHOWN"],
    wrong: ["SYS_ADMIN", "NET_RAW", "ALL", "chown"],
  });
  for (const handler of [["livenessProbe"], ["readinessProbe"], ["startupProbe"], ["lifecycle", "preStop"]]) {
    describePodPolicy(noHostsInProbes, {
      container: [...handler, "httpGet", "host"],
      right: [undefined, ""],
      wrong: ["127.0.0.1"],
    });
    describePodPolicy(noHostsInProbes, {
      container: [...handler, "tcpSocket", "host"],
      right: [undefined, ""],
      wrong: ["example.org"],
    });
  }
  for (const where of ["pod", "container"] as const) {
    describePodPolicy(appArmorProfile, {
      [where]: [...securityContext, "appArmorProfile", "type"],
      right: [undefined, "RuntimeDefault", "Localhost"],
      wrong: ["Unconfined", ""],
    });
    describePodPolicy(noUnconfinedSeccomp, {
      [where]: [...securityContext, "seccompProfile", "type"],
      right: [undefined, "RuntimeDefault", "Localhost"],
      wrong: ["Unconfined", ""],
    });
    describePodPolicy(seLinuxOptions, {
      [where]: [...securityContext, "seLinuxOptions", "type"],
      right: [undefined, "", "container_t", "container_engine_t"],
      wrong: ["spc_t"],
    });
    for (const key of ["user", "role"]) {
      describePodPolicy(seLinuxOptions, {
        [where]: [...securityContext, "seLinuxOptions", key],
        right: [undefined, ""],
        wrong: ["sysadm_u"],
      });
    }
    describePodPolicy(noRootUser, {
      [where]: [...securityContext, "runAsUser"],
      right: [undefined, 10001],
      wrong: [0],
    });
  }
  describePodPolicy(defaultProcMount, {
    container: [...securityContext, "procMount"],
    right: [undefined, "Default"],
    wrong: ["Unmasked"],
  });
  describePodPolicy(safeSysctlsOnly, {
    pod: [...securityContext, "sysctls", 0, "name"],
    right: ["net.ipv4.tcp_syncookies"],
    wrong: [undefined, "kernel.msgmax"],
  });
  describePodPolicy(restrictedVolumeTypes, {
    pod: ["volumes", 0],
    right: [
      { name: "empty" },
      { name: "tmp", emptyDir: {} },
      { name: "data", persistentVolumeClaim: { claimName: "data" } },
    ],
    wrong: [
      { name: "data", nfs: { server: "nfs.example", path: "/" } },
      { name: "data", hostPath: { path: "/" } },
    ],
  });
  describePodPolicy(noRootContainers, {
    pod: [...securityContext, "runAsNonRoot"],
    right: [undefined, true],
    wrong: [false],
  });

  it("appArmorProfile reads the annotation of older clusters, of pods and of templates", () => {
    const annotation = "container.apparmor.security.beta.kubernetes.io/app";
    for (const kind of ["Pod", "Deployment", "CronJob"] as const) {
      const judged = (value: string) =>
        outcome(
          appArmorProfile,
          podTypes[kind],
          holding(kind, changed(goodPod(), ["metadata", "annotations", annotation], value)),
        );
      for (const right of ["runtime/default", "localhost/profile", ""]) {
        expect(judged(right), right).to.deep.equal({ violations: [], undecided: [] });
      }
      expect(judged("unconfined").violations).to.deep.equal([
        written([...templatePath(kind), "metadata", "annotations", annotation]),
      ]);
      expect(judged(unknown).undecided).to.have.length(1);
    }
  });

  it("leaves out on Windows what Kubernetes refuses there", () => {
    const bare = changed(goodPod(), ["spec", "containers", 0, "securityContext"], { runAsNonRoot: true });
    const onlyLinux = [noPrivilegeEscalation, seccompProfile, dropAllCapabilities];
    for (const policy of onlyLinux) {
      expect(outcome(policy, podTypes.Pod, bare).violations, policy.name).not.to.be.empty;
      const windows = changed(bare, ["spec", "os", "name"], "windows");
      expect(outcome(policy, podTypes.Pod, windows).violations, policy.name).to.be.empty;
      const undecided = changed(bare, ["spec", "os", "name"], unknown);
      expect(outcome(policy, podTypes.Pod, undecided).undecided, policy.name).to.include("spec.os.name");
    }
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
      const profile = changed(goodPod(), [...podContext, "seccompProfile"], { type: "RuntimeDefault" });
      const own = changed(profile, ["spec", "containers", 0, "securityContext", "seccompProfile"], {
        type: "Unconfined",
      });
      expect(outcome(seccompProfile, podTypes.Pod, own).violations).to.deep.equal([
        "spec.containers[0].securityContext.seccompProfile.type",
      ]);
    });

    it("are reported where they are, if they are unknown", () => {
      const pod = changed(withoutOwn("runAsNonRoot"), [...podContext, "runAsNonRoot"], unknown);
      expect(outcome(noRootContainers, podTypes.Pod, pod)).to.deep.equal({
        violations: [],
        undecided: ["spec.securityContext.runAsNonRoot"],
      });
    });
  });
});
