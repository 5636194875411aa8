import { InitializationFailed } from "../../rpc/errors";
import type { PropertyMap } from "../../rpc/values";
import type { ResourceOperation } from "../../rpc/provider";
import { timeoutMilliseconds } from "../annotations";
import { explainFailure } from "../await/failure";
import { readinessOf } from "../await/readiness";
import { waitUntilReady } from "../await/wait";
import { redactor, writeCheckpoint } from "../checkpoint";
import type { KubernetesApi } from "../cluster/api";
import { describe, objectId, type KubeObject } from "../object";

const EXPLANATION_MILLISECONDS = 10_000;

export interface Written {
  readonly api: KubernetesApi;
  readonly operation: ResourceOperation;
  readonly properties: PropertyMap;
  readonly inputs: KubeObject;
  /** The object as the API server answered. */
  readonly live: KubeObject;
  readonly initialApiVersion: string;
  readonly fieldManager: string;
  readonly timeoutSeconds: number;
}

/**
 * Waits for an object that was just written and returns its outputs. What was written is kept in state even when
 * it does not become ready; the error then says what holds it up.
 */
export async function finish(written: Written): Promise<PropertyMap> {
  const { api, operation, properties, inputs, live: first } = written;
  const readiness = readinessOf(inputs);
  const redact = redactor(properties);
  const { live, failure } = readiness
    ? await waitUntilReady(first, readiness, {
        api,
        signal: operation.signal,
        status: (message) => operation.status(redact(message)),
        timeoutMilliseconds: timeoutMilliseconds(inputs, written.timeoutSeconds),
      })
    : { live: first };
  if (live !== first) operation.status("");
  const checkpoint = { ...written, live, origin: properties };
  if (failure !== undefined) throw await notReady(checkpoint, failure);
  return writeCheckpoint(checkpoint);
}

/** The error for an object that exists and is not ready, with all that the cluster knows about why. */
export async function notReady(
  written: Pick<Written, "api" | "inputs" | "live" | "initialApiVersion" | "fieldManager"> & {
    origin: PropertyMap;
  },
  failure: string,
): Promise<InitializationFailed> {
  const { api, live, origin } = written;
  const redact = redactor(origin);
  const why = await explainFailure(live, api, AbortSignal.timeout(EXPLANATION_MILLISECONDS));
  const reasons = [`${describe(live)} is not ready: ${failure}`, ...why].map(redact);
  return new InitializationFailed(objectId(live), writeCheckpoint(written), origin, reasons);
}
