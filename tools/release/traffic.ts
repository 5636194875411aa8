import { hashLabel, hashOf, isInProgress, strategyOf, versionWithHash } from "./facts";
import type { Release } from "./objects";

/** Part of the requests that a version gets. */
export interface Share {
  readonly version: string;
  readonly hash: string;
  readonly percent: number;
  /** Whether the share follows from the number of Pods, and is not exact. */
  readonly byPods: boolean;
}

/** Which version answers how many of the requests. */
export function trafficOf(release: Release): Share[] {
  const { rollout, activeService } = release;
  const { status } = rollout;
  const share = (hash: string, percent: number, byPods = false): Share => ({
    version: versionWithHash(release, hash).version,
    hash,
    percent,
    byPods,
  });
  switch (strategyOf(rollout)) {
    case "blueGreen": {
      const hash = activeService?.spec.selector?.[hashLabel] ?? status.blueGreen?.activeSelector ?? "";
      return hash === "" ? [] : [share(hash, 100)];
    }
    case "canary": {
      const weights = status.canary?.weights;
      if (!weights) return status.stableRS === "" ? [] : [share(status.stableRS, 100)];
      const { canary, stable } = weights;
      const shares = [share(stable.podTemplateHash ?? status.stableRS, stable.weight)];
      if (canary.weight === 0 && !isInProgress(rollout)) return shares;
      return [...shares, share(canary.podTemplateHash ?? status.currentPodHash, canary.weight)];
    }
    case "rolling":
      return byPods(release, share);
  }
}

function byPods(
  { replicaSets }: Release,
  share: (hash: string, percent: number, byPods: boolean) => Share,
): Share[] {
  const serving = replicaSets.filter(({ status }) => status.availableReplicas > 0);
  const all = serving.reduce((sum, { status }) => sum + status.availableReplicas, 0);
  return serving.map((each) =>
    share(hashOf(each), Math.round((100 * each.status.availableReplicas) / all), serving.length > 1),
  );
}
