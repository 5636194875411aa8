import { text } from "../object";
import { condition, conditionText, failed, ready, waiting, type Readiness } from "./verdict";

/** The pod is ready, or has done its work. */
export const pod: Readiness = {
  judge(live) {
    const phase = text(live, "status", "phase");
    if (phase === "Succeeded") return ready("the pod has finished");
    if (phase === "Failed") {
      return failed(
        `the pod failed: ${[text(live, "status", "reason"), text(live, "status", "message")].join(" ")}`,
      );
    }
    const isReady = condition(live, "Ready");
    if (phase === "Running" && isReady?.status === "True") return ready("the pod is ready");
    const scheduled = condition(live, "PodScheduled");
    if (scheduled?.status === "False") return waiting(conditionText(scheduled));
    return waiting(isReady ? conditionText(isReady) : `the pod is ${phase || "not seen by a node yet"}`);
  },
};
