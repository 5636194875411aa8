import * as pulumi from "@pulumi/pulumi";
import { applicationSchema } from "../../components/config/application";
import { Application } from "../../components/delivery/application";
import { applicationFlows } from "../../components/delivery/flows";

/** A program of as many applications as its configuration says, each as the stacks have it. */
const count = new pulumi.Config().requireNumber("applications");
const settings = applicationSchema.parse({
  version: "1.0.0",
  image: { repository: "technova/inventory", digest: `sha256:${"0".repeat(64)}` },
  schemaRevision: "0001",
  hostname: "inventory.example.com",
  replicas: 2,
  autoscaling: { maxReplicas: 4 },
  database: { type: "inCluster", storage: "1Gi" },
});
for (let index = 0; index < count; index += 1) {
  new Application(`inventory-${index}`, {
    settings,
    namespace: "inventory",
    image: `registry.example.com/technova/inventory@sha256:${"0".repeat(64)}`,
    pullSecrets: [],
    images: {},
    sealed: [],
    gateway: { name: "gateway", namespace: "gateway", sectionName: "https" },
    flows: applicationFlows({
      identity: { name: `inventory-${index}`, component: "api" },
      namespace: "inventory",
      gateway: { namespace: "gateway", labels: { "app.kubernetes.io/name": "traefik" } },
      database: settings.database,
      snapshot: settings.migration.snapshot,
      smokeTested: true,
      monitored: false,
      apiServerCidrs: ["10.0.0.1/32"],
    }),
    releases: {
      images: {},
      priorityClassName: "application",
      environment: "bench",
    },
    priorityClassName: "application",
    databasePriorityClassName: "platform",
    appArmor: false,
  });
}
