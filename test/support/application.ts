import { Application, type ApplicationArgs } from "../../components/delivery/application";
import { flowTable } from "../../components/cluster/flowTable";
import { settingsWith } from "./components";
import { register, type JsonObject, type Recording } from "./mocks";

export const image = `ghcr.io/technova/inventory@sha256:${"12".repeat(32)}`;

/** The application as the program makes it, with changes to its settings and to what it is given. */
export async function application(
  changes: JsonObject = {},
  args: Partial<ApplicationArgs> = {},
): Promise<Recording<Application>> {
  const settings = await settingsWith({ application: changes });
  return register(
    () =>
      new Application("inventory", {
        settings: settings.application,
        namespace: "inventory",
        image,
        pullSecrets: ["pull"],
        images: settings.images,
        sealed: [],
        databaseUrl:
          settings.application.database.type === "external" ? settings.secrets.databaseUrl : undefined,
        gateway: { name: "gateway", namespace: "gateway", sectionName: "https" },
        flows: flowTable(settings).application,
        releases: {
          prometheus: "http://prometheus.monitoring.svc:9090",
          images: settings.images,
          priorityClassName: "application",
          environment: "staging",
        },
        priorityClassName: "application",
        databasePriorityClassName: "platform",
        appArmor: settings.cluster.appArmor,
        ...args,
      }),
  );
}
