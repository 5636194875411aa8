import type { z } from "zod";
import { UserError } from "../engine/report";
import type { Api } from "./api";
import {
  analysisRunSchema,
  configMapSchema,
  listOf,
  replicaSetSchema,
  rolloutSchema,
  serviceSchema,
  type Release,
  type Rollout,
} from "./objects";
import { hashLabel, isTakenUp } from "./facts";

/** The Rollout's name is also that of its namespace. */
export const application = "inventory";

const argo = `/apis/argoproj.io/v1alpha1/namespaces/${application}`;
const core = `/api/v1/namespaces/${application}`;

/** Paths of what the commands read and write. */
export const paths = {
  rollout: `${argo}/rollouts/${application}`,
  status: `${argo}/rollouts/${application}/status`,
  analysisRuns: `${argo}/analysisruns`,
  replicaSets: `/apis/apps/v1/namespaces/${application}/replicasets?labelSelector=${hashLabel}`,
  records: `${core}/configmaps/${application}-releases`,
  service: (name: string) => `${core}/services/${name}`,
};

/** @throws UserError when there is nothing that could be released. */
export async function readRollout(api: Api): Promise<Rollout> {
  const found = await api.get(paths.rollout);
  if (found !== undefined) return parsed(rolloutSchema, found);
  if ((await api.get("/apis/argoproj.io/v1alpha1")) === undefined) {
    throw new UserError(
      "The cluster has no Argo Rollouts, which drives releases: set technova:argoRollouts in the stack's settings, " +
        "then npm run up.",
    );
  }
  throw new UserError(
    `There is no Rollout ${application} in the namespace ${application}: npm run up makes it. A stack of an older ` +
      "version of this program gets it with the next npm run up.",
  );
}

/** Reads everything about the release. */
export async function readRelease(api: Api): Promise<Release> {
  const rollout = await readRollout(api);
  const { blueGreen } = rollout.spec.strategy;
  const [replicaSets, analysisRuns, activeService, records] = await Promise.all([
    api.get(paths.replicaSets),
    api.get(paths.analysisRuns),
    blueGreen === undefined ? undefined : api.get(paths.service(blueGreen.activeService)),
    api.get(paths.records),
  ]);
  return {
    rollout,
    replicaSets: parsed(listOf(replicaSetSchema), replicaSets ?? { items: [] }).items.filter(
      ({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === rollout.metadata.uid) ?? false,
    ),
    analysisRuns: parsed(listOf(analysisRunSchema), analysisRuns ?? { items: [] }).items,
    activeService: activeService === undefined ? undefined : parsed(serviceSchema, activeService),
    records: records === undefined ? undefined : parsed(configMapSchema, records),
  };
}

const settleSeconds = 20;

/**
 * Waits until the controller has seen the latest change: before it has, its status speaks of another release than
 * the one that is meant.
 * @throws UserError when it does not see it.
 */
export async function readSettled(
  api: Api,
  sleep: (milliseconds: number) => Promise<unknown>,
): Promise<Release> {
  const deadline = Date.now() + settleSeconds * 1000;
  for (;;) {
    const release = await readRelease(api);
    if (isTakenUp(release) && release.rollout.status.currentPodHash !== "") return release;
    if (Date.now() > deadline) {
      throw new UserError(
        `The controller has not seen the latest change of the release for ${settleSeconds} s: check that ` +
          "Argo Rollouts runs (kubectl get pods -A -l app.kubernetes.io/name=argo-rollouts).",
      );
    }
    await sleep(200);
  }
}

export function parsed<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  return schema.parse(value);
}
