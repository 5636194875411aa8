import { ProgramStore, programs, type GoProgram } from "../builds";
import { clusterImages, mirrorReference } from "../images/catalog";
import { cgroupName } from "../node";
import type { ClusterPaths } from "../paths";
import type { Component } from "./component";
import { containerd, dockerd, registry } from "./containers";
import { apiserver, controllerManager, scheduler } from "./control-plane";
import { etcd } from "./etcd";
import { kubeProxy, kubeRouter, kubelet } from "./node";

/** Where the node sees the cache of built programs. */
const programFolder = "/opt/technova";

function nodePath(program: GoProgram): string {
  return `${programFolder}/${ProgramStore.location(program)}`;
}

/** Everything that runs in the node beside pods, in the order in which `up` starts it. */
export function declaredComponents(paths: ClusterPaths) {
  const cgroup = cgroupName(paths);
  return {
    etcd: etcd(),
    containerd: containerd(mirrorReference(clusterImages.pause)),
    registry: registry(),
    apiserver: apiserver(nodePath(programs.apiserver)),
    controllerManager: controllerManager(nodePath(programs.controllerManager)),
    scheduler: scheduler(nodePath(programs.scheduler)),
    dockerd: dockerd(cgroup),
    kubelet: kubelet(nodePath(programs.kubelet), cgroup),
    kubeProxy: kubeProxy(nodePath(programs.kubeProxy)),
    kubeRouter: kubeRouter(nodePath(programs.kubeRouter)),
  } as const satisfies Record<string, Component>;
}

/** The built program that a component runs; undefined for one that comes from a package. */
export function programOf(component: Component): GoProgram | undefined {
  return Object.values<GoProgram>(programs).find((program) => nodePath(program) === component.command[0]);
}
