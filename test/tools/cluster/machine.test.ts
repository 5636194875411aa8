import { expect } from "chai";
import { mkdtempSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterEnvironment } from "../../../tools/cluster/environment";
import { reachableResolvers } from "../../../tools/cluster/node-files";
import { archiveName, parseSimulation } from "../../../tools/cluster/packages";
import { cacheFolder, clusterPaths, removeUnfinished } from "../../../tools/cluster/paths";
import {
  claimFolder,
  isOwnFolder,
  parseListeningPorts,
  requireLinuxRoot,
} from "../../../tools/cluster/preflight";
import { duration } from "../../../tools/cluster/status";
import { linkerFlags, programs } from "../../../tools/cluster/builds";
import { certificates } from "../../../tools/cluster/pki";
import { manifestObjects } from "../../../tools/cluster/manifests";
import { objectPath } from "../../../tools/cluster/api";

describe("preflight", () => {
  it("sends other systems and other users to a cluster of their own", () => {
    expect(() => requireLinuxRoot("darwin", 0)).to.throw("kubernetes:context");
    expect(() => requireLinuxRoot("linux", 1000)).to.throw("kubernetes:context");
    expect(() => requireLinuxRoot("linux", 0)).to.not.throw();
  });

  it("finds the ports that answer on 127.0.0.1", () => {
    const row = (address: string, state: string) =>
      `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:0`;
    const table = [
      "  sl  local_address rem_address   st",
      row("0100007F:192B", "0A"),
      row("00000000:13BA", "0A"),
      row("0200A8C0:0050", "0A"),
      row("0100007F:01BB", "01"),
      "",
    ].join("\n");
    expect(parseListeningPorts(table)).to.deep.equal([6443, 5050]);
    expect(parseListeningPorts(row(`${"0".repeat(32)}:192B`, "0A"))).to.deep.equal([6443]);
  });

  describe("folder", () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "technova-folder-"))));
    afterEach(() => rmSync(folder, { recursive: true }));

    it("takes an empty one, and its own again", () => {
      const paths = clusterPaths({ TECHNOVA_CLUSTER_DIR: join(folder, "cluster") });
      claimFolder(paths);
      expect(isOwnFolder(paths)).to.equal(true);
      writeFileSync(paths.state, "{}");
      claimFolder(paths);
    });

    it("refuses one that holds something else, because `down` would remove it", () => {
      writeFileSync(join(folder, "thesis.txt"), "");
      const paths = clusterPaths({ TECHNOVA_CLUSTER_DIR: folder });
      expect(() => claimFolder(paths)).to.throw("thesis.txt");
      expect(isOwnFolder(paths)).to.equal(false);
    });
  });
});

describe("environment of the other commands", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "technova-environment-"))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const raise = () => {
    mkdirSync(join(folder, "run"));
    for (const name of ["kubeconfig", "run/docker.sock"]) writeFileSync(join(folder, name), "");
  };

  it("is empty while the cluster is not up", () => {
    expect(clusterEnvironment({ TECHNOVA_CLUSTER_DIR: folder })).to.deep.equal({});
  });

  it("adds the cluster after the user's own configuration, once", () => {
    raise();
    const own = `${folder}/kubeconfig`;
    const base = { TECHNOVA_CLUSTER_DIR: folder, HOME: folder };
    expect(clusterEnvironment(base)).to.deep.equal({
      KUBECONFIG: own,
      DOCKER_HOST: `unix://${folder}/run/docker.sock`,
    });
    expect(clusterEnvironment({ ...base, KUBECONFIG: `/a:${own}:/b` }).KUBECONFIG).to.equal(`/a:/b:${own}`);
    mkdirSync(join(folder, ".kube"));
    writeFileSync(join(folder, ".kube/config"), "");
    expect(clusterEnvironment(base).KUBECONFIG).to.equal(`${folder}/.kube/config:${own}`);
  });

  it("leaves a chosen Docker host alone", () => {
    raise();
    const { DOCKER_HOST } = clusterEnvironment({
      TECHNOVA_CLUSTER_DIR: folder,
      DOCKER_HOST: "tcp://elsewhere",
    });
    expect(DOCKER_HOST).to.equal("tcp://elsewhere");
  });
});

describe("Debian packages", () => {
  it("are read from apt's simulation", () => {
    const output = [
      "NOTE: This is only a simulation!",
      "Inst libc6 (2.36-9+deb12u13 Debian:12.13/oldstable [amd64]) []",
      "Inst libssl3:amd64 (1:3.0-1 Debian:12.13/oldstable, Debian-Security:12/oldstable-security [amd64])",
      "Inst tzdata (2025b-0 Debian:12.13/oldstable [all])",
      "Conf libc6 (2.36-9+deb12u13 Debian:12.13/oldstable [amd64])",
    ].join("\n");
    const packages = parseSimulation(output);
    expect(packages.map(({ name }) => name)).to.deep.equal(["libc6", "libssl3", "tzdata"]);
    expect(packages.map(archiveName)).to.deep.equal([
      "libc6_2.36-9+deb12u13_amd64.deb",
      "libssl3_1%3a3.0-1_amd64.deb",
      "tzdata_2025b-0_all.deb",
    ]);
  });
});

describe("programs", () => {
  it("carry upstream's version and no symbol tables", () => {
    const flags = linkerFlags(programs.kubelet);
    expect(flags).to.match(/^-s -w /);
    expect(flags).to.include("-X k8s.io/component-base/version.gitVersion=v1.34.3");
    expect(linkerFlags(programs.pause)).to.equal("-s -w");
  });
});

describe("manifests of the cluster", () => {
  for (const name of ["rbac", "coredns", "local-path"]) {
    it(`${name}: every value is filled in and every object has a place in the API`, () => {
      const objects = manifestObjects(name);
      expect(objects).to.not.be.empty;
      expect(JSON.stringify(objects)).to.not.match(/\$\{[A-Z_]+\}/);
      const places = objects.map(objectPath);
      expect(new Set(places).size).to.equal(places.length);
    });
  }

  it("let what enforces network policies read what it needs, and change nothing", () => {
    const named = (kind: string) =>
      manifestObjects("rbac").find(
        (object) => object.kind === kind && object.metadata.name === "technova:kube-router",
      );
    const rules = named("ClusterRole")?.rules as { resources: string[]; verbs: string[] }[];
    expect(new Set(rules.flatMap(({ verbs }) => verbs))).to.have.all.keys("get", "list", "watch");
    expect(rules.flatMap(({ resources }) => resources))
      .to.include("networkpolicies")
      .and.not.include("secrets");
    const [subject] = named("ClusterRoleBinding")?.subjects as { kind: string; name: string }[];
    const certificate = certificates.find(({ name }) => name === "kube-router");
    expect(subject).to.deep.include({ kind: "User", name: certificate?.commonName });
  });

  it("are hardened", () => {
    interface Container {
      securityContext: unknown;
      resources: { limits?: { memory?: string } };
    }
    const deployments = ["coredns", "local-path"]
      .flatMap(manifestObjects)
      .filter(({ kind }) => kind === "Deployment");
    expect(deployments).to.have.length(2);
    for (const deployment of deployments) {
      const { spec } = (
        deployment.spec as {
          template: { spec: { securityContext: { runAsNonRoot?: boolean }; containers: Container[] } };
        }
      ).template;
      expect(spec.securityContext.runAsNonRoot).to.equal(true);
      for (const container of spec.containers) {
        expect(container.securityContext).to.deep.equal({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(container.resources.limits?.memory).to.be.a("string");
      }
    }
  });
});

describe("the rest", () => {
  it("finds its folders", () => {
    expect(clusterPaths({}).root).to.equal("/var/lib/technova-cluster");
    expect(clusterPaths({ TECHNOVA_CLUSTER_DIR: "/x" }).dockerSocket).to.equal("/x/run/docker.sock");
    expect(cacheFolder({ XDG_CACHE_HOME: "/c" })).to.equal("/c/technova-platform/cluster");
  });

  it("removes unfinished work of processes that are gone, and of no other", () => {
    const folder = mkdtempSync(join(tmpdir(), "technova-cache-"));
    for (const name of [`a.${process.pid}.tmp`, "a.4194999.tmp", "kept", "kept.tmp"])
      writeFileSync(join(folder, name), "");
    removeUnfinished(folder);
    removeUnfinished(join(folder, "missing"));
    expect(readdirSync(folder).sort()).to.deep.equal([`a.${process.pid}.tmp`, "kept", "kept.tmp"].sort());
    rmSync(folder, { recursive: true });
  });

  it("asks only name servers that the node can reach", () => {
    const text = "search lan\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver ::1\noptions edns0\n";
    expect(reachableResolvers(text)).to.equal("search lan\nnameserver 192.0.2.1\noptions edns0\n");
  });

  it("writes durations for people", () => {
    expect([5, 65, 3700, 90000].map(duration)).to.deep.equal(["5 s", "1 min", "1 h 1 min", "1 d 1 h"]);
  });
});
