import { field, list, nameOf, namespaceOf, text, texts, type KubeObject } from "../object";
import { ready, waiting, type Readiness } from "./verdict";

/**
 * A load balancer has its address, and none of the pods behind the service is still starting. A service without
 * pods counts as ready: they can be created after it.
 */
export const service: Readiness = {
  related: (live) =>
    hasEndpoints(live)
      ? {
          apiVersion: "discovery.k8s.io/v1",
          kind: "EndpointSlice",
          namespace: namespaceOf(live),
          labelSelector: `kubernetes.io/service-name=${nameOf(live)}`,
        }
      : undefined,
  judge(live, slices) {
    if (
      text(live, "spec", "type") === "LoadBalancer" &&
      list(live, "status", "loadBalancer", "ingress").length === 0
    ) {
      return waiting("the service has no external address yet; does this cluster have load balancers?");
    }
    if (!hasEndpoints(live)) return ready();
    if (slices.length === 0) return waiting("waiting for the endpoints of the service");
    const endpoints = slices.flatMap((slice) => list(slice, "endpoints"));
    const starting = endpoints.filter(isStarting);
    if (starting.length > 0)
      return waiting(`${starting.length} of ${endpoints.length} pods behind it are not ready`);
    return ready(`${endpoints.length} pods behind it`);
  },
};

function hasEndpoints(live: KubeObject): boolean {
  const external = text(live, "spec", "type") === "ExternalName";
  const headless = text(live, "spec", "clusterIP") === "None";
  return !external && !headless && Object.keys(texts(live, "spec", "selector")).length > 0;
}

function isStarting(endpoint: KubeObject): boolean {
  return (
    field(endpoint, "conditions", "ready") === false && field(endpoint, "conditions", "terminating") !== true
  );
}
