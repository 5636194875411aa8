import { number, text } from "../object";
import { isObserved, ready, waiting, type Readiness } from "./verdict";

/** Every node that should run a pod runs an available one of the newest template. */
export const daemonSet: Readiness = {
  judge(live) {
    if (!isObserved(live)) return waiting("waiting for the controller to see the change");
    const wanted = number(live, "status", "desiredNumberScheduled") ?? 0;
    const updated = number(live, "status", "updatedNumberScheduled") ?? 0;
    const available = number(live, "status", "numberAvailable") ?? 0;
    const rolls = text(live, "spec", "updateStrategy", "type") !== "OnDelete";
    if (rolls && updated < wanted) return waiting(`${updated} of ${wanted} pods have the new template`);
    if (available < wanted) return waiting(`${available} of ${wanted} pods are available`);
    return ready(`${available} pods are available`);
  },
};
