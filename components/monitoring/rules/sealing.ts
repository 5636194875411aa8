import type { RuleGroup } from "./groups";

/**
 * Whether Secrets are made of those that are sealed. Prometheus keeps the controller's own namespace as `namespace`,
 * and that of the Secret as `exported_namespace`.
 */
export const sealingAlerts: RuleGroup = {
  name: "sealed-secrets",
  interval: "30s",
  rules: [
    {
      alert: "SecretNotUnsealed",
      expr: 'min by (exported_namespace, name) (sealed_secrets_controller_condition_info{condition="Synced"}) < 1',
      for: "2m",
      labels: { severity: "critical" },
      annotations: {
        summary: "{{ $labels.exported_namespace }}/{{ $labels.name }} cannot be unsealed.",
        action:
          "Why: kubectl -n {{ $labels.exported_namespace }} describe sealedsecret {{ $labels.name }}. " +
          "Seal it anew, or bring its key back: npm run secrets -- restore-key.",
      },
    },
    {
      alert: "UnsealingFails",
      expr: "sum by (reason, exported_namespace) (increase(sealed_secrets_controller_unseal_errors_total[15m])) > 0",
      for: "5m",
      labels: { severity: "warning" },
      annotations: {
        summary: "Unsealing for {{ $labels.exported_namespace }} fails ({{ $labels.reason }}).",
        action: "The controller says why: kubectl -n sealing logs deployment/sealed-secrets.",
      },
    },
  ],
};
