/** An event as Falco's `http_output` sends it. */
export interface FalcoEvent {
  readonly hostname: string;
  readonly output: string;
  readonly output_fields: Readonly<Record<string, string | number | null>>;
  readonly priority: string;
  readonly rule: string;
  readonly source: string;
  readonly tags: readonly string[];
  readonly time: string;
}

/** A shell in the service's container, as Falco 0.44 tells of it; `time` is now unless it is given. */
export function falcoEvent(
  changes: Partial<Omit<FalcoEvent, "output_fields">> = {},
  fields: FalcoEvent["output_fields"] = {},
): FalcoEvent {
  return {
    hostname: "node-1",
    output:
      "A shell ran in a container that has no use for one, or not for this one. | k8s.ns.name=inventory " +
      "k8s.pod.name=inventory-5f7c9d8b6-x2x4p container.name=inventory proc.name=sh proc.cmdline=sh -c id",
    output_fields: {
      "k8s.ns.name": "inventory",
      "k8s.pod.name": "inventory-5f7c9d8b6-x2x4p",
      "container.name": "inventory",
      "container.id": "3ad7b26ded6d",
      "container.image.repository": "ghcr.io/technova/inventory",
      "container.image.tag": null,
      "proc.name": "sh",
      "proc.exepath": "/usr/bin/dash",
      "proc.pname": "inventory",
      "proc.pid": 4711,
      "proc.tty": 0,
      "user.uid": 10001,
      "proc.cmdline": "sh -c id",
      ...fields,
    },
    priority: "Critical",
    rule: "ShellInContainer",
    source: "syscall",
    tags: ["T1059.004", "T1609"],
    time: new Date().toISOString(),
    ...changes,
  };
}

/** An event of a rule, as Falco tells of what was recorded: fields that it does not have are null. */
export function toldBy(
  rule: {
    readonly rule: string;
    readonly output: string;
    readonly priority: string;
    readonly tags: readonly string[];
  },
  recorded: Readonly<Record<string, string | number | boolean>>,
): FalcoEvent {
  const names = [...rule.output.matchAll(/%([a-z0-9_.]*[a-z0-9_])/g)].map(([, name = ""]) => name);
  const value = (name: string) => {
    const found = recorded[name];
    return typeof found === "boolean" ? String(found) : (found ?? null);
  };
  return {
    hostname: "node-1",
    output: rule.output.replace(/%([a-z0-9_.]*[a-z0-9_])/g, (_, name: string) =>
      String(value(name) ?? "<NA>"),
    ),
    output_fields: Object.fromEntries(names.map((name) => [name, value(name)])),
    priority: `${rule.priority.slice(0, 1)}${rule.priority.slice(1).toLowerCase()}`,
    rule: rule.rule,
    source: "syscall",
    tags: rule.tags,
    time: new Date().toISOString(),
  };
}
