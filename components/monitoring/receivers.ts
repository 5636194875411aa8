import type { AlertmanagerSettings, AlertReceiver } from "../config/monitoring";

/** Where Alertmanager finds each receiver's secret, in a file of its name. */
export const secretPath = "/etc/alertmanager-secrets";

/** Receiver of what nobody is told: it is seen in Alertmanager itself. */
const nobody = "nobody";

/**
 * `alertmanager.yml`. What is alike is told together, and a warning is not told where the same thing is critical.
 * @param withSecret names of the receivers that have a secret
 */
export function alertmanagerConfiguration(
  settings: AlertmanagerSettings,
  withSecret: readonly string[],
): string {
  const { receivers } = settings;
  // JSON is YAML.
  return JSON.stringify({
    route: {
      receiver: nobody,
      group_by: ["alertname", "namespace", "app"],
      group_wait: `${settings.groupWaitSeconds}s`,
      group_interval: `${settings.groupIntervalSeconds}s`,
      repeat_interval: `${settings.repeatIntervalHours}h`,
      routes: receivers.map(({ name, severities }) => ({
        receiver: name,
        matchers: [`severity=~"${severities.join("|")}"`],
        // The next one may want to know, too.
        continue: true,
      })),
    },
    inhibit_rules: [
      {
        source_matchers: ['severity="critical"'],
        target_matchers: ['severity="warning"'],
        equal: ["alertname", "namespace", "app"],
      },
    ],
    receivers: [
      { name: nobody },
      ...receivers.map((receiver) => ({
        name: receiver.name,
        ...configurationOf(receiver, withSecret.includes(receiver.name)),
      })),
    ],
  });
}

function configurationOf(receiver: AlertReceiver, withSecret: boolean): object {
  const file = `${secretPath}/${receiver.name}`;
  const title =
    "[{{ .Status | toUpper }}] {{ .GroupLabels.alertname }}{{ with .GroupLabels.app }} of {{ . }}{{ end }}";
  const text = "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.action }}\n{{ end }}";
  switch (receiver.type) {
    case "webhook":
      return { webhook_configs: [{ url_file: file, send_resolved: true }] };
    case "slack":
      return {
        slack_configs: [{ api_url_file: file, channel: receiver.channel, send_resolved: true, title, text }],
      };
    case "pagerDuty":
      return {
        pagerduty_configs: [{ routing_key_file: file, send_resolved: true, description: title }],
      };
    case "email":
      return {
        email_configs: [
          {
            to: receiver.to,
            from: receiver.from,
            smarthost: receiver.smarthost,
            ...(receiver.username === undefined ? {} : { auth_username: receiver.username }),
            ...(withSecret ? { auth_password_file: file } : {}),
            send_resolved: true,
            headers: { Subject: title },
          },
        ],
      };
  }
}
