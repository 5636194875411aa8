import type { Flow } from "../../cluster/flows";
import { apiServerAt, apiServerPorts, metricsFlow } from "../../cluster/wellKnown";
import { controllerPods, controllerPorts } from "./names";

/** What the controller may say, and who may speak to it. */
export function sealedSecretsFlows(apiServerCidrs: readonly string[], monitored: boolean): Flow[] {
  return [
    {
      name: "sealed-secrets-to-api-server",
      from: controllerPods,
      to: apiServerAt(apiServerCidrs),
      ports: apiServerPorts,
      why: "The controller makes Secrets of those that are sealed.",
    },
    {
      name: "api-server-to-sealed-secrets",
      from: apiServerAt(apiServerCidrs),
      to: controllerPods,
      ports: [{ port: controllerPorts.http }],
      why: "People ask for the certificate to seal with, through the API server.",
    },
    metricsFlow("sealed-secrets", controllerPods, controllerPorts.metrics, monitored),
  ];
}
