import { podsAtOnce, type ApplicationSettings } from "./application";
import type { MonitoringSettings } from "./monitoring";
import type { ClusterSettings } from "./platform";
import { quantityValue } from "./quantity";

interface Asking {
  readonly application: ApplicationSettings;
  readonly cluster: ClusterSettings;
  readonly monitoring?: MonitoringSettings;
}

interface Shortage {
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * Where a namespace's quota would not let the stack have what its other settings ask for: a volume that is never
 * made, or a release whose last Pods never come, just when there are many.
 */
export function shortages({ application, cluster: { quotas }, monitoring }: Asking): Shortage[] {
  const { resources, database, migration } = application;
  const own = database.type === "inCluster" ? [database] : [];
  const pods = podsAtOnce(application);
  const limits = (name: "cpu" | "memory") =>
    pods * quantityValue(resources.limits[name]) + sum(own.map((each) => each.resources.limits[name]));
  const everyone = `${pods} Pods, of three complete versions` + (own.length > 0 ? ", and the database" : "");
  const { snapshot } = migration;
  const { prometheus, alertmanager, logs } = monitoring ?? {};
  const alertVolumes =
    alertmanager === undefined ? [] : Array<string>(alertmanager.replicas).fill(alertmanager.storage);
  const asked = [
    {
      path: ["inventory", "cpu"],
      needed: limits("cpu"),
      show: (cores: number) => String(Math.ceil(cores)),
      for: everyone,
    },
    {
      path: ["inventory", "memory"],
      needed: limits("memory"),
      show: gibibytes,
      for: everyone,
    },
    {
      path: ["inventory", "storage"],
      needed: sum([
        ...own.map(({ storage }) => storage),
        ...(snapshot?.type === "volume" ? [snapshot.storage] : []),
      ]),
      show: gibibytes,
      for: "the volumes of the database and its snapshots",
    },
    {
      path: ["monitoring", "storage"],
      needed: sum([prometheus, logs].flatMap((each) => each?.storage ?? []).concat(alertVolumes)),
      show: gibibytes,
      for: "the volumes of Prometheus, Alertmanager and Loki",
    },
  ] as const;
  return asked.flatMap(({ path: [namespace, name], needed, show, for: what }) => {
    const quota = quotas[namespace][name];
    if (quota === undefined || needed <= quantityValue(quota)) return [];
    return [
      { path: ["cluster", "quotas", namespace, name], message: `at least "${show(needed)}", for ${what}` },
    ];
  });
}

const sum = (quantities: readonly string[]): number =>
  quantities.reduce((total, each) => total + quantityValue(each), 0);

const gibibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 30)}Gi`;
