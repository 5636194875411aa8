import { UserError } from "../engine/report";
import { ApiError, ConnectionError } from "../plugins/kubernetes/cluster/errors";
import { controls } from "./controls";
import { Unanswered, type Answer, type Control, type Layer, type Verdict } from "./control";
import type { Evidence } from "./evidence";

export interface Judged extends Answer {
  readonly layer: Layer;
  readonly control: Control;
}

/** Asks every control, in the order of the layers. What cannot be asked is unknown, with the reason. */
export async function judge(evidence: Evidence): Promise<readonly Judged[]> {
  const asked = Object.entries(controls).flatMap(([layer, own]) =>
    own.map(async (control): Promise<Judged> => ({
      layer: layer as Layer,
      control,
      ...(await answerOf(control, evidence)),
    })),
  );
  return Promise.all(asked);
}

async function answerOf(control: Control, evidence: Evidence): Promise<Answer> {
  try {
    return await control.ask(evidence);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    return { verdict: "unknown", evidence: reason, details: [] };
  }
}

/** Why something was not told; undefined for a mistake of the program, which must not pass for that. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof ConnectionError) return `the cluster does not answer: ${error.message}`;
  if (error instanceof ApiError) return `the API server does not tell: ${error.message}`;
  return error instanceof Unanswered || error instanceof UserError ? error.message.split("\n")[0] : undefined;
}

export function count(judged: readonly Judged[], verdict: Verdict): number {
  return judged.filter((each) => each.verdict === verdict).length;
}
