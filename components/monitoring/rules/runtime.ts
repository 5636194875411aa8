import type { RuleGroup } from "./groups";

/** Whether what watches the containers still sees and tells everything. */
export const runtimeAlerts: RuleGroup = {
  name: "runtime-detection",
  interval: "30s",
  rules: [
    {
      alert: "FalcoSensorDown",
      expr: 'up{app="falco", component="runtime-sensor"} == 0',
      for: "5m",
      labels: { severity: "critical" },
      annotations: {
        summary: "Nothing watches the containers on the node of {{ $labels.pod }}.",
        action: "Look at its last words: kubectl -n falco logs {{ $labels.pod }} --previous.",
      },
    },
    {
      alert: "FalcoDropsEvents",
      expr:
        "100 * sum by (pod) (rate(falcosecurity_scap_n_drops_total[5m]))" +
        " / sum by (pod) (rate(falcosecurity_scap_n_evts_total[5m])) > 1",
      for: "10m",
      labels: { severity: "warning" },
      annotations: {
        summary: "{{ $labels.pod }} misses {{ $value | humanize }} % of what the kernel does on its node.",
        action:
          "Raise falco.sensor.resources.limits.cpu of the stack, and look for what keeps the node so busy.",
      },
    },
    {
      alert: "RuntimeEventsLost",
      expr: "sum by (target) (increase(technova_runtime_events_lost_total[15m])) > 0",
      labels: { severity: "critical" },
      annotations: {
        summary: "{{ $value | humanize }} events of Falco did not get to {{ $labels.target }}.",
        action: "The receiver says why: kubectl -n falco logs -l app.kubernetes.io/component=event-receiver.",
      },
    },
    {
      alert: "RuntimeEventsDelayed",
      expr: "max by (target) (technova_runtime_events_queued) > 0",
      for: "5m",
      labels: { severity: "warning" },
      annotations: {
        summary: "{{ $value }} events of Falco wait for {{ $labels.target }}, which takes none.",
        action: "Look at {{ $labels.target }} first; events are kept until 5,000 wait.",
      },
    },
  ],
};
