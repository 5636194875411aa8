import type { RuleGroup } from "./groups";
import { runtimeAlerts } from "./runtime";
import { sealingAlerts } from "./sealing";

/** What somebody has to look at. Each says in its annotations what it means and what to do first. */
export const alertRules: readonly RuleGroup[] = [
  {
    name: "platform",
    interval: "30s",
    rules: [
      {
        alert: "TargetDown",
        expr: "avg by (app, component, namespace) (up) < 0.5",
        for: "5m",
        labels: { severity: "critical" },
        annotations: {
          summary:
            "Most Pods of {{ $labels.namespace }}/{{ $labels.app }} ({{ $labels.component }}) do not answer Prometheus.",
          action: "Look at the Pods' events and logs: kubectl -n {{ $labels.namespace }} describe pods.",
        },
      },
      {
        alert: "GatewayErrors",
        expr:
          '100 * sum by (service) (rate(traefik_service_requests_total{code=~"5.."}[5m]))' +
          " / sum by (service) (rate(traefik_service_requests_total[5m])) > 5",
        for: "5m",
        labels: { severity: "critical" },
        annotations: {
          summary: "{{ $value | humanize }} % of the requests to {{ $labels.service }} fail at the gateway.",
          action: "If a release is under way or has just ended: npm run release -- status, then undo.",
        },
      },
    ],
  },
  {
    name: "application",
    interval: "30s",
    rules: [
      {
        alert: "DatabaseConnectionsExhausted",
        expr: "100 * sum by (app) (inventory_db_pool_in_use) / sum by (app) (inventory_db_pool_size) > 90",
        for: "5m",
        labels: { severity: "warning" },
        annotations: {
          summary: "{{ $labels.app }} uses {{ $value | humanize }} % of its database connections.",
          action: "Look for slow queries; then raise configuration.databasePoolSize of the stack.",
        },
      },
      {
        alert: "ReleaseFailed",
        expr: 'count by (app, environment) (last_over_time(technova_release_duration_seconds{outcome="failed"}[10m])) > 0',
        labels: { severity: "warning" },
        annotations: {
          summary: "A release of {{ $labels.app }} to {{ $labels.environment }} was taken back.",
          action: "npm run release -- history says why.",
        },
      },
    ],
  },
  runtimeAlerts,
  sealingAlerts,
];
