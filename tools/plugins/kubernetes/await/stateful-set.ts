import { number, text } from "../object";
import { isObserved, ready, waiting, type Readiness } from "./verdict";

/** All replicas are ready and, unless updates wait for deletions, those above the partition are up to date. */
export const statefulSet: Readiness = {
  judge(live) {
    if (!isObserved(live)) return waiting("waiting for the controller to see the change");
    const wanted = number(live, "spec", "replicas") ?? 1;
    const available = number(live, "status", "readyReplicas") ?? 0;
    if (available < wanted) return waiting(`${available} of ${wanted} pods are ready`);
    if (text(live, "spec", "updateStrategy", "type") === "OnDelete")
      return ready(`${available} pods are ready`);
    const partition = number(live, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
    const upToDate = text(live, "status", "currentRevision") === text(live, "status", "updateRevision");
    const updated = upToDate ? wanted : (number(live, "status", "updatedReplicas") ?? 0);
    const toUpdate = Math.max(wanted - partition, 0);
    if (updated < toUpdate) return waiting(`${updated} of ${toUpdate} pods have the new template`);
    return ready(`${available} pods are ready`);
  },
};
