import { z } from "zod";
import { unwatched } from "../../components/delivery/analysis";
import { UserError } from "../engine/report";
import type { Api } from "../release/api";
import { isInProgress } from "../release/facts";
import { prometheusPath } from "../release/prometheus";
import { application, readSettled } from "../release/read";
import type { Screen } from "../release/screen";

/** What the version that serves after a rollback is held against. */
export interface Limits {
  /** Share of requests that may fail, in percent. */
  readonly errorPercent: number;
  /** Fewer requests than that tell nothing. */
  readonly minimumRequests: number;
  /** How long it is watched. */
  readonly seconds: number;
}

const every = 5;

const answer = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

/**
 * Watches the version that serves: the controller has to be done with it, and its answers have to be good.
 * @returns what was found, in words
 * @throws UserError when it is not well
 */
export async function checkHealth(api: Api, limits: Limits, screen: Screen): Promise<string> {
  const stableRS = await untilHealthy(api, screen);
  const until = Date.now() + limits.seconds * 1000;
  let last: Measured | string = "nothing was measured";
  while (Date.now() < until) {
    await screen.sleep(every * 1000);
    last = await errorShare(api, stableRS, Math.max(limits.seconds, 15));
    if (typeof last === "string") break;
    if (last.requests >= limits.minimumRequests && last.percent > limits.errorPercent) {
      throw new UserError(
        `${last.percent.toFixed(1)} % of ${last.requests} requests fail; the limit is ${limits.errorPercent} %.`,
      );
    }
    screen.progress(`${last.requests} requests, ${last.percent.toFixed(1)} % of them failed`);
  }
  if (typeof last === "string") return `the release is healthy; its errors are not known: ${last}`;
  const known = last.requests >= limits.minimumRequests;
  return known
    ? `the release is healthy, ${last.percent.toFixed(1)} % of ${last.requests} requests failed`
    : `the release is healthy; its errors are not known: ${last.requests} requests tell too little`;
}

/** How long Pods may come and go once the release is through, as where an autoscaler adds some; in milliseconds. */
const settling = 60_000;

/** @returns the hash of the version that serves */
async function untilHealthy(api: Api, screen: Screen): Promise<string> {
  const deadline = Date.now() + settling;
  for (;;) {
    const { rollout } = await readSettled(api, screen.sleep);
    const { phase, message, stableRS } = rollout.status;
    if (!isInProgress(rollout) && phase === "Healthy") return stableRS;
    if (isInProgress(rollout) || phase === "Degraded" || Date.now() > deadline) {
      const reason = message === "" ? "" : ` (${message})`;
      throw new UserError(`The release is not through: it is ${phase}${reason}.`);
    }
    await screen.sleep(1000);
  }
}

interface Measured {
  readonly requests: number;
  readonly percent: number;
}

/** Why nothing was measured, where that is so: a cluster without monitoring is no reason to go forward again. */
async function errorShare(api: Api, hash: string, seconds: number): Promise<Measured | string> {
  const counted = (...more: string[]) => {
    const labels = [`app="${application}"`, `template_hash="${hash}"`, unwatched, ...more].join(",");
    return `sum(increase(http_requests_total{${labels}}[${seconds}s])) or vector(0)`;
  };
  const ask = async (expression: string): Promise<number> => {
    const found = await api.get(`${prometheusPath}/query?query=${encodeURIComponent(expression)}`);
    return Number(answer.parse(found).data.result[0]?.value[1] ?? 0);
  };
  try {
    const requests = Math.round(await ask(counted()));
    const failed = await ask(counted('status=~"5.."'));
    return { requests, percent: requests === 0 ? 0 : (100 * failed) / requests };
  } catch (error) {
    if (error instanceof z.ZodError) return "there is no Prometheus";
    return `Prometheus could not be asked (${error instanceof Error ? error.message : String(error)})`;
  }
}
