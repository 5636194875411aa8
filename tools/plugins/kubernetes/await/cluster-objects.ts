import { isPropertyMap, sameValue } from "../../rpc/values";
import { field, number, text } from "../object";
import { condition, conditionText, failed, ready, waiting, type Readiness } from "./verdict";

export const namespace: Readiness = {
  judge(live) {
    const phase = text(live, "status", "phase");
    if (phase === "Terminating") return failed("the namespace is being deleted");
    return phase === "Active" ? ready() : waiting("waiting for the namespace to become active");
  },
};

/** The API server serves the new kind. */
export const customResourceDefinition: Readiness = {
  judge(live) {
    const names = condition(live, "NamesAccepted");
    if (names?.status === "False") return failed(conditionText(names));
    return condition(live, "Established")?.status === "True"
      ? ready("the kind is served")
      : waiting("waiting for the API server to serve the kind");
  },
};

export const apiService: Readiness = {
  judge(live) {
    const available = condition(live, "Available");
    if (available?.status === "True") return ready("the API is available");
    return waiting(available ? conditionText(available) : "waiting for the API to become available");
  },
};

export const resourceQuota: Readiness = {
  judge: (live) =>
    sameValue(field(live, "spec", "hard") ?? {}, field(live, "status", "hard") ?? {})
      ? ready()
      : waiting("waiting for the quota to take effect"),
};

/** A controller fills the tokens of service accounts in; other Secrets are complete from the start. */
export const secret: Readiness = {
  judge(live) {
    const filled = isPropertyMap(live.data) && Object.keys(live.data).length > 0;
    const token = text(live, "type") === "kubernetes.io/service-account-token";
    return token && !filled ? waiting("waiting for the service account's token") : ready();
  },
};

export const replicationController: Readiness = {
  judge(live) {
    const wanted = number(live, "spec", "replicas") ?? 1;
    const available = number(live, "status", "availableReplicas") ?? 0;
    return available >= wanted ? ready() : waiting(`${available} of ${wanted} pods are available`);
  },
};
