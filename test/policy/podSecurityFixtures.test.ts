import { expect } from "chai";
import { unknownCheckingProxy } from "@pulumi/policy";
import { judgeResource } from "../../policy/frame/evaluate";
import type { Profile } from "../../policy/frame/policy";
import { policies } from "../../policy/policies";
import { changed, podTypes, type Path } from "../support/policy";

/** The least that each level admits: a whole pod, as somebody would write it. */
const least: Readonly<Record<Profile, object>> = {
  baseline: {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web" },
    spec: {
      containers: [{ name: "web", image: "registry.example/web:1" }],
      initContainers: [{ name: "prepare", image: "registry.example/web:1" }],
    },
  },
  restricted: {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web" },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "web",
          image: "registry.example/web:1",
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        },
      ],
      initContainers: [
        {
          name: "prepare",
          image: "registry.example/web:1",
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        },
      ],
    },
  },
};

type Change = readonly (readonly [path: Path, value: unknown])[];

interface Fixtures {
  readonly admitted: readonly Change[];
  readonly refused: readonly Change[];
}

const own = (...path: Path): Path => ["spec", "containers", 0, ...path];
const init = (...path: Path): Path => ["spec", "initContainers", 0, ...path];
const pod = (...path: Path): Path => ["spec", ...path];
const annotation = (name: string): Path => ["metadata", "annotations", name];
const appArmor = (container: string) => `container.apparmor.security.beta.kubernetes.io/${container}`;

/** For each rule pods that keep it in every way that there is, and pods that break it and nothing else of its level. */
const fixtures: Readonly<Record<string, Fixtures>> = {
  "no-privileged-containers": {
    admitted: [[[own("securityContext", "privileged"), false]]],
    refused: [
      [[own("securityContext", "privileged"), true]],
      [[init("securityContext", "privileged"), true]],
    ],
  },
  "no-host-namespaces": {
    admitted: [
      [
        [pod("hostNetwork"), false],
        [pod("hostPID"), false],
        [pod("hostIPC"), false],
      ],
    ],
    refused: [[[pod("hostNetwork"), true]], [[pod("hostPID"), true]], [[pod("hostIPC"), true]]],
  },
  "no-host-paths": {
    admitted: [[[pod("volumes"), [{ name: "tmp", emptyDir: {} }]]]],
    refused: [
      [
        [
          pod("volumes"),
          [
            { name: "tmp", emptyDir: {} },
            { name: "etc", hostPath: { path: "/etc" } },
          ],
        ],
      ],
    ],
  },
  "no-host-ports": {
    admitted: [[[own("ports"), [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }]]]],
    refused: [[[own("ports"), [{ containerPort: 80 }, { containerPort: 81, hostPort: 81 }]]]],
  },
  "no-host-processes": {
    admitted: [[[pod("securityContext", "windowsOptions"), { hostProcess: false }]]],
    refused: [
      [[pod("securityContext", "windowsOptions"), { hostProcess: true }]],
      [[init("securityContext", "windowsOptions"), { hostProcess: true }]],
    ],
  },
  "no-added-capabilities": {
    admitted: [[[own("securityContext", "capabilities"), { add: ["CHOWN", "KILL", "NET_BIND_SERVICE"] }]]],
    refused: [
      [[own("securityContext", "capabilities"), { add: ["CHOWN", "NET_RAW"] }]],
      [[init("securityContext", "capabilities"), { add: ["ALL"], drop: ["ALL"] }]],
    ],
  },
  "no-hosts-in-probes": {
    admitted: [[[own("livenessProbe"), { httpGet: { port: 80, host: "" } }]]],
    refused: [
      [[own("livenessProbe"), { httpGet: { port: 80, host: "127.0.0.1" } }]],
      [[own("startupProbe"), { tcpSocket: { port: 80, host: "example.org" } }]],
      [[own("lifecycle"), { postStart: { httpGet: { port: 80, host: "169.254.169.254" } } }]],
      [[init("lifecycle"), { preStop: { tcpSocket: { port: 80, host: "10.0.0.1" } } }]],
    ],
  },
  "apparmor-profile": {
    admitted: [
      [[annotation(appArmor("web")), "localhost/web"]],
      [[own("securityContext", "appArmorProfile"), { type: "Localhost", localhostProfile: "web" }]],
      [[annotation("example.org/apparmor"), "unconfined"]],
    ],
    refused: [
      [[annotation(appArmor("web")), "unconfined"]],
      [[pod("securityContext", "appArmorProfile"), { type: "Unconfined" }]],
      [[init("securityContext", "appArmorProfile"), { type: "Unconfined" }]],
    ],
  },
  "selinux-options": {
    admitted: [[[pod("securityContext", "seLinuxOptions"), { type: "container_t", level: "s0:c123,c456" }]]],
    refused: [
      [[pod("securityContext", "seLinuxOptions"), { type: "spc_t" }]],
      [[own("securityContext", "seLinuxOptions"), { user: "system_u" }]],
      [[init("securityContext", "seLinuxOptions"), { role: "sysadm_r" }]],
    ],
  },
  "default-proc-mount": {
    admitted: [[[own("securityContext", "procMount"), "Default"]]],
    refused: [
      [[own("securityContext", "procMount"), "Unmasked"]],
      [[init("securityContext", "procMount"), "Unmasked"]],
    ],
  },
  "no-unconfined-seccomp": {
    admitted: [
      [[own("securityContext", "seccompProfile"), { type: "Localhost", localhostProfile: "web.json" }]],
    ],
    refused: [
      [[pod("securityContext", "seccompProfile"), { type: "Unconfined" }]],
      [[own("securityContext", "seccompProfile"), { type: "Unconfined" }]],
    ],
  },
  "safe-sysctls": {
    admitted: [[[pod("securityContext", "sysctls"), [{ name: "net.ipv4.tcp_keepalive_time", value: "60" }]]]],
    refused: [[[pod("securityContext", "sysctls"), [{ name: "kernel.shmmax", value: "1" }]]]],
  },
  "restricted-volume-types": {
    admitted: [
      [
        [
          pod("volumes"),
          [
            { name: "a", configMap: { name: "a" } },
            { name: "b", secret: { secretName: "b" } },
            { name: "c", projected: { sources: [] } },
            { name: "d", csi: { driver: "d.example" } },
            { name: "e", persistentVolumeClaim: { claimName: "e" } },
          ],
        ],
      ],
    ],
    refused: [
      [[pod("volumes"), [{ name: "a", nfs: { server: "nfs.example", path: "/" } }]]],
      [[pod("volumes"), [{ name: "a", iscsi: { targetPortal: "10.0.0.1", iqn: "iqn", lun: 0 } }]]],
    ],
  },
  "no-privilege-escalation": {
    admitted: [],
    refused: [
      [[own("securityContext", "allowPrivilegeEscalation"), true]],
      [[init("securityContext", "allowPrivilegeEscalation"), undefined]],
    ],
  },
  "no-root-containers": {
    admitted: [
      [
        [pod("securityContext", "runAsNonRoot"), undefined],
        [own("securityContext", "runAsNonRoot"), true],
        [init("securityContext", "runAsNonRoot"), true],
      ],
    ],
    refused: [
      [[pod("securityContext", "runAsNonRoot"), undefined]],
      [[own("securityContext", "runAsNonRoot"), false]],
      [
        [pod("securityContext", "runAsNonRoot"), false],
        [own("securityContext", "runAsNonRoot"), true],
        [init("securityContext", "runAsNonRoot"), true],
      ],
    ],
  },
  "no-root-user": {
    admitted: [[[pod("securityContext", "runAsUser"), 1]]],
    refused: [[[pod("securityContext", "runAsUser"), 0]], [[init("securityContext", "runAsUser"), 0]]],
  },
  "seccomp-profile": {
    admitted: [
      [
        [pod("securityContext", "seccompProfile"), undefined],
        [own("securityContext", "seccompProfile"), { type: "RuntimeDefault" }],
        [init("securityContext", "seccompProfile"), { type: "Localhost", localhostProfile: "web.json" }],
      ],
      [
        [pod("os"), { name: "windows" }],
        [pod("securityContext", "seccompProfile"), undefined],
        [own("securityContext"), undefined],
        [init("securityContext"), undefined],
      ],
    ],
    refused: [
      [
        [pod("securityContext", "seccompProfile"), undefined],
        [own("securityContext", "seccompProfile"), { type: "RuntimeDefault" }],
      ],
    ],
  },
  "drop-all-capabilities": {
    admitted: [
      [[own("securityContext", "capabilities"), { drop: ["NET_RAW", "ALL"], add: ["NET_BIND_SERVICE"] }]],
    ],
    refused: [
      [[own("securityContext", "capabilities"), undefined]],
      [[init("securityContext", "capabilities"), { drop: ["NET_RAW"] }]],
      [[own("securityContext", "capabilities"), { drop: ["ALL"], add: ["CHOWN"] }]],
    ],
  },
};

/** A policy of baseline that restricted has in a stricter form: both find the same. */
const stricter: Readonly<Record<string, string>> = {
  "no-host-paths": "restricted-volume-types",
  "no-added-capabilities": "drop-all-capabilities",
  "no-unconfined-seccomp": "seccomp-profile",
};

describe("pods of the Pod Security Standards", () => {
  const standards = policies.filter(({ area }) => area === "pod-security");
  const found = (level: Profile, whole: object) =>
    standards
      .filter(({ profile }) => level === "restricted" || profile === "baseline")
      .filter((policy) => {
        const resource = { type: podTypes.Pod, urn: "urn", props: unknownCheckingProxy(whole) };
        return judgeResource(policy, resource).violations.length > 0;
      })
      .map(({ name }) => name);
  const podWith = (level: Profile, change: Change) =>
    change.reduce<object>((object, [path, value]) => changed(object, path, value), least[level]);

  it("cover every rule", () =>
    expect(Object.keys(fixtures)).to.have.members(standards.map(({ name }) => name)));

  it("admit the least pod of each level", () => {
    expect(found("baseline", least.baseline)).to.be.empty;
    expect(found("restricted", least.restricted)).to.be.empty;
  });

  for (const { name, profile = "baseline" } of standards) {
    const { admitted = [], refused = [] } = fixtures[name] ?? {};
    it(`admit what keeps ${name}`, () => {
      for (const change of admitted)
        expect(found(profile, podWith(profile, change)), JSON.stringify(change)).to.be.empty;
    });
    it(`refuse what breaks ${name}, for that alone`, () => {
      for (const change of refused) {
        expect(found(profile, podWith(profile, change)), JSON.stringify(change)).to.deep.equal([name]);
      }
      if (profile === "restricted") return;
      for (const change of refused) {
        const both = found("restricted", podWith("restricted", change));
        const expected = [name, ...(stricter[name] === undefined ? [] : [stricter[name]])];
        expect(expected, JSON.stringify(change)).to.include.members(both);
        expect(both).to.include(name);
      }
    });
  }
});
