import type { FalcoSettings } from "../../config/falco";

/** Where the sensor's webserver answers: `/healthz` and `/metrics`. */
export const sensorPort = 8765;
/** Falco's events come in here; the port that Falco's own tools use for that. */
export const receiverPort = 2801;

export const configurationPath = "/etc/falco";
/** Where the node's files are seen. */
export const hostRoot = "/host";

/**
 * `falco.yaml`. Events leave by HTTP alone: the receiver hides secrets in them before anybody sees them, and a log
 * would not.
 * @param receiver address of the receiver
 */
export function falcoConfiguration(settings: FalcoSettings, receiver: string): string {
  // JSON is YAML.
  return JSON.stringify({
    // Nothing but what is written here: the image brings rules and settings of its own.
    config_files: [],
    rules_files: [`${configurationPath}/rules.yaml`],
    watch_config_files: false,
    engine: { kind: "modern_ebpf", modern_ebpf: { cpus_for_each_buffer: 2, buf_size_preset: 4 } },
    load_plugins: ["container"],
    plugins: [
      {
        name: "container",
        library_path: "libcontainer.so",
        init_config: {
          label_max_len: 100,
          with_size: false,
          engines: {
            cri: { enabled: true, sockets: [settings.sensor.runtimeSocket] },
            ...Object.fromEntries(
              ["bpm", "containerd", "docker", "libvirt_lxc", "lxc", "podman"].map((engine) => [
                engine,
                { enabled: false },
              ]),
            ),
          },
        },
      },
    ],
    priority: settings.minimumPriority,
    rule_matching: "first",
    append_output: [],
    time_format_iso_8601: true,
    json_output: true,
    json_include_output_property: true,
    json_include_output_fields_property: true,
    json_include_tags_property: true,
    buffered_outputs: false,
    outputs_queue: { capacity: 100_000 },
    stdout_output: { enabled: false },
    syslog_output: { enabled: false },
    http_output: { enabled: true, url: receiver, keep_alive: true, max_consecutive_timeouts: 5 },
    webserver: {
      enabled: true,
      listen_port: sensorPort,
      k8s_healthz_endpoint: "/healthz",
      prometheus_metrics_enabled: true,
    },
    log_level: "info",
    log_stderr: true,
    log_syslog: false,
    // What the kernel had no room for is an event as well, and counted.
    syscall_event_drops: { threshold: 0.1, actions: ["log", "alert"], rate: 0.03333, max_burst: 1 },
    metrics: {
      enabled: true,
      interval: "1m",
      output_rule: false,
      rules_counters_enabled: true,
      resource_utilization_enabled: true,
      state_counters_enabled: true,
      kernel_event_counters_enabled: true,
      libbpf_stats_enabled: false,
      convert_memory_to_mb: false,
      include_empty_values: false,
    },
  });
}
