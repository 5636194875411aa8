import { parser } from "@prometheus-io/lezer-promql";

/** What a query in Prometheus' language reads. */
export interface Reading {
  readonly metrics: readonly string[];
  /** Labels by which it selects and groups. */
  readonly labels: readonly string[];
}

/** Parses a query; fails with the place where it cannot be read. */
export function readQuery(query: string): Reading {
  const metrics = new Set<string>();
  const labels = new Set<string>();
  parser.parse(query).iterate({
    enter: ({ name, from, to, type }) => {
      if (type.isError) throw new Error(`not to be read at character ${from}: ${query}`);
      const text = query.slice(from, to);
      if (name === "Identifier") metrics.add(text);
      if (name === "LabelName") labels.add(text);
    },
  });
  return { metrics: [...metrics], labels: [...labels] };
}
