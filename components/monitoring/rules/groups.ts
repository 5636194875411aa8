/** A question that Prometheus answers again and again, and keeps under a name. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** A question whose answer somebody has to know about as long as there is one. */
export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  /** How long there has to be an answer, such as `5m`; none when absent. */
  readonly for?: string;
  readonly labels: { readonly severity: "critical" | "warning" };
  readonly annotations: { readonly summary: string; readonly action: string };
}

export interface RuleGroup<Rule = RecordingRule | AlertingRule> {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly Rule[];
}
