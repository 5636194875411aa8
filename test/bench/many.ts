import * as pulumi from "@pulumi/pulumi";
import { applicationSchema } from "../../components/config/application";
import { Application } from "../../components/delivery/application";

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
    gateway: { name: "gateway", namespace: "gateway", sectionName: "https" },
    monitored: false,
    releases: {
      images: {},
      apiServerCidrs: ["10.0.0.1/32"],
      priorityClassName: "application",
      environment: "bench",
    },
    gatewayPods: { namespace: "gateway", labels: { "app.kubernetes.io/name": "traefik" } },
    priorityClassName: "application",
    databasePriorityClassName: "platform",
  });
}
