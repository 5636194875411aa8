import { layers, verdicts, type Layer } from "./control";
import { count, type Judged } from "./judge";

export interface Report {
  readonly stack: string;
  /** When it was asked, as ISO 8601. */
  readonly at: string;
  readonly judged: readonly Judged[];
}

const signs = { holds: "✓", fails: "✗", excepted: "!", unknown: "?", off: "-" } as const;
/** Of one control, so many details are shown; all are in the JSON and on the page. */
const shown = 5;

/** The whole answer for people: the layers, each control with what was looked at, and what is wrong below it. */
export function render({ stack, judged }: Report): string {
  const blocks = (Object.keys(layers) as Layer[]).map((layer) => {
    const own = judged.filter((each) => each.layer === layer);
    return [`${layers[layer]}: ${summary(own)}`, ...own.flatMap(lines)].join("\n");
  });
  return [...blocks, `${stack}: ${summary(judged)}`].join("\n\n");
}

function lines({ verdict, control, evidence, details }: Judged): string[] {
  const rest = details.length - shown;
  return [
    `  ${signs[verdict]} ${verdict.padEnd(8)}  ${control.id}: ${control.title}`,
    ...(verdict === "holds" ? [] : [`      ${verdict === "fails" ? `looked at ${evidence}` : evidence}`]),
    ...details.slice(0, shown).map((detail) => `      ${detail}`),
    ...(rest > 0 ? [`      and ${rest} more: --json has them`] : []),
    ...(verdict === "fails" ? [`      enforced by ${control.where}`] : []),
  ];
}

/** `12 of 14 hold, 1 unknown, 1 off`. */
export function summary(judged: readonly Judged[]): string {
  const others = verdicts
    .filter((verdict) => verdict !== "holds" && count(judged, verdict) > 0)
    .map((verdict) => `${count(judged, verdict)} ${verdict}`);
  return [`${count(judged, "holds")} of ${judged.length} hold`, ...others].join(", ");
}

/** @param unread whether the cluster could not be read */
export function exitCodeOf({ judged }: Report, unread: boolean): number {
  if (count(judged, "fails") > 0) return 1;
  return unread ? 2 : 0;
}

/** The same for programs. */
export function toJson({ stack, at, judged }: Report): string {
  const shownControls = judged.map(({ layer, control: { id, title, against, where }, ...found }) => ({
    id,
    layer,
    title,
    against,
    where,
    verdict: found.verdict,
    evidence: found.evidence,
    details: found.details,
  }));
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, count(judged, verdict)]));
  return JSON.stringify({ stack, at, counts, controls: shownControls }, undefined, 2);
}
