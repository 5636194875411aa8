import { field, number } from "../object";
import { condition, conditionText, failed, ready, waiting, type Readiness } from "./verdict";

/** The Job has completed. A Job that is told to wait is not waited for. */
export const job: Readiness = {
  judge(live) {
    const failure = condition(live, "Failed");
    if (failure?.status === "True") return failed(`the Job failed: ${conditionText(failure)}`);
    if (condition(live, "Complete")?.status === "True") return ready("the Job has completed");
    if (field(live, "spec", "suspend") === true) return ready("the Job is suspended");
    const succeeded = number(live, "status", "succeeded") ?? 0;
    const active = number(live, "status", "active") ?? 0;
    const lost = number(live, "status", "failed") ?? 0;
    const wanted = number(live, "spec", "completions") ?? 1;
    return waiting(`${succeeded} of ${wanted} completions, ${active} pods running, ${lost} failed`);
  },
};
