import { duration } from "../cluster/status";
import { formatNumber, type Metric, type Verdict } from "./analysis";
import type { Version } from "./facts";
import type { Picture, Replicas } from "./picture";
import type { Mark } from "./stages";
import type { State } from "./phase";
import { cut, paint, plain, table, wrap, width, type Colour, type Paint } from "./text";

export const strategyNames = { rolling: "rolling", canary: "canary", blueGreen: "blue-green" } as const;

const stateColours: Record<State, Colour> = {
  healthy: "green",
  progressing: "blue",
  waiting: "yellow",
  failed: "red",
};
const marks: Record<Mark, readonly [string, Colour]> = {
  done: ["✓", "green"],
  current: ["●", "blue"],
  "to come": ["○", "grey"],
  failed: ["✗", "red"],
};
const verdictColours: Record<Verdict, Colour> = {
  ok: "green",
  above: "red",
  error: "red",
  unknown: "yellow",
  "not measured": "grey",
};

/** The whole picture as text of at most 100 columns, without a line break at its end. */
export function render(picture: Picture, colours: boolean): string {
  const colour = colours ? paint : plain;
  const { current, stable, strategy, application, state, message, next } = picture;
  const versions = stable === undefined ? named(current) : `${named(stable)} -> ${named(current)}`;
  const sections = [
    [
      ...field("application", application),
      ...field("strategy", strategyNames[strategy]),
      ...field("version", versions),
      ...field("state", `${state}: ${message}`, (text) =>
        text.startsWith(state) ? colour(stateColours[state], state) + text.slice(state.length) : text,
      ),
      ...(picture.traffic.length === 0 ? [] : field("traffic", trafficLine(picture))),
    ],
    stages(picture, colour),
    replicas(picture.replicas),
    metrics(picture.metrics, colour),
    next.flatMap((line, index) => field(index === 0 ? "next" : "", line)),
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
}

const labelWidth = 13;

function field(label: string, value: string, decorate = (text: string) => text): string[] {
  return wrap(value, width - labelWidth).map(
    (line, index) => (index === 0 ? label : "").padEnd(labelWidth) + decorate(line),
  );
}

function named({ version, hash }: Version): string {
  return hash === "" ? version : `${version} (${hash})`;
}

/** Such as `90 % to 1.0.0, 10 % to 1.1.0`. */
export function trafficLine({ traffic }: Picture): string {
  return traffic
    .map(({ percent, version, hash, byPods }, _index, all) => {
      const same = all.some((other) => other.version === version && other.hash !== hash);
      return `${byPods ? "about " : ""}${percent} % to ${version}${same ? ` (${hash})` : ""}`;
    })
    .join(", ");
}

function stages({ stages: list }: Picture, colour: Paint): string[] {
  return list.map(({ title, mark }, index) => {
    const [sign, shade] = marks[mark];
    const number = `${index + 1}`.padStart(2);
    return `${(index === 0 ? "steps" : "").padEnd(labelWidth)}${colour(shade, sign)} ${number}  ${title}`;
  });
}

function replicas(list: readonly Replicas[]): string[] {
  const rows = list.map((each) => [
    cut(each.version, 20),
    each.role,
    each.hash,
    `${each.desired}`,
    `${each.ready}`,
    `${each.available}`,
    each.ageSeconds === undefined ? "" : duration(each.ageSeconds),
    each.images.join(", "),
  ]);
  return table(["version", "role", "hash", "desired", "ready", "available", "age", "image"], rows);
}

function metrics(list: readonly Metric[], colour: Paint): string[] {
  const rows = list.map((each) => [
    each.during,
    each.name,
    each.value === undefined ? "-" : formatNumber(each.value),
    each.limit === undefined ? "-" : formatNumber(each.limit),
    `${each.measurements}`,
    each.verdict,
  ]);
  const shade = (text: string, row: number): string => {
    const verdict = list[row]?.verdict;
    return verdict === undefined ? text : colour(verdictColours[verdict], text);
  };
  return table(["measured", "what", "value", "limit", "times", "verdict"], rows, shade);
}

/** The picture in one line, without what changes with the clock alone. */
export function summary(picture: Picture): string {
  const { state, message, current } = picture;
  const pods = picture.replicas.find(({ hash }) => hash === current.hash);
  const parts = [
    `${current.version} ${state}: ${message.replace(/, \d+ s left$/, "")}`,
    ...(picture.traffic.length === 0 ? [] : [trafficLine(picture)]),
    ...(pods === undefined ? [] : [`${pods.available} of ${pods.desired} Pods available`]),
  ];
  return parts.join("; ");
}
