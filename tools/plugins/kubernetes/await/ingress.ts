import { list } from "../object";
import { ready, waiting, type Readiness } from "./verdict";

/** A controller has taken the ingress and says where it can be reached. */
export const ingress: Readiness = {
  judge: (live) =>
    list(live, "status", "loadBalancer", "ingress").length > 0
      ? ready("the ingress has an address")
      : waiting(
          "no ingress controller has given it an address yet; check spec.ingressClassName and that the " +
            "controller publishes its service's address",
        ),
};
