import { text } from "../object";
import { failed, ready, waiting, type Readiness } from "./verdict";

export const persistentVolume: Readiness = {
  judge(live) {
    const phase = text(live, "status", "phase");
    if (phase === "Available" || phase === "Bound") return ready(`the volume is ${phase}`);
    return phase === "Failed"
      ? failed(`the volume failed: ${text(live, "status", "message")}`)
      : waiting(`the volume is ${phase || "not seen by a controller yet"}`);
  },
};

/** Bound, or pending in a storage class that makes the volume only when a pod needs it. */
export const persistentVolumeClaim: Readiness = {
  related(live) {
    const name = text(live, "spec", "storageClassName");
    const pending = text(live, "status", "phase") !== "Bound";
    return name && pending
      ? {
          apiVersion: "storage.k8s.io/v1",
          kind: "StorageClass",
          namespace: "",
          fieldSelector: `metadata.name=${name}`,
        }
      : undefined;
  },
  judge(live, [storageClass]) {
    const phase = text(live, "status", "phase");
    if (phase === "Bound") return ready("the claim is bound");
    if (phase === "Lost") return failed("the volume of the claim is lost");
    const waits = storageClass && text(storageClass, "volumeBindingMode") === "WaitForFirstConsumer";
    if (phase === "Pending" && waits) return ready("the claim is bound when a pod uses it");
    return waiting(`the claim is ${phase || "not seen by a controller yet"}`);
  },
};
