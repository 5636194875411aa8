import { field, number } from "../object";
import { condition, failed, isObserved, ready, waiting, type Readiness } from "./verdict";

/** All replicas run the newest template and are available, and none of an older template is left. */
export const deployment: Readiness = {
  judge(live) {
    if (!isObserved(live)) return waiting("waiting for the controller to see the change");
    if (field(live, "spec", "paused") === true) return ready("the rollout is paused");
    const progressing = condition(live, "Progressing");
    if (progressing?.reason === "ProgressDeadlineExceeded") {
      return failed(`the rollout made no progress in time: ${progressing.message}`);
    }
    const wanted = number(live, "spec", "replicas") ?? 1;
    const total = number(live, "status", "replicas") ?? 0;
    const updated = number(live, "status", "updatedReplicas") ?? 0;
    const available = number(live, "status", "availableReplicas") ?? 0;
    if (updated < wanted) return waiting(`${updated} of ${wanted} pods have the new template`);
    if (total > updated) return waiting(`${total - updated} pods of the old template are left`);
    if (available < updated) return waiting(`${available} of ${updated} pods are available`);
    return ready(`${available} pods are available`);
  },
};
