import { Addons } from "./components/addons";
import { eventTargets } from "./components/addons/falco/targets";
import { publicUrl } from "./components/addons/gateway";
import { sealedFiles } from "./components/addons/sealedSecrets";
import { Cluster } from "./components/cluster";
import { entriesOf, flowTable } from "./components/cluster/flowTable";
import { loadSettings } from "./components/config";
import { Application } from "./components/delivery/application";
import { GithubRepository } from "./components/github";
import { imageRepositories } from "./components/images";
import { Monitoring } from "./components/monitoring";
import { Registry } from "./components/registry";
import { ApplicationImage, applicationRepository, releasedReference } from "./components/registry/image";

const settings = loadSettings();
const { application, secrets, argoRollouts, falco, monitoring, sealedSecrets, velero } = settings;
const { appArmor } = settings.cluster;
const { downgrade } = application.migration;
const sealed = sealedFiles(settings.stack, sealedSecrets);
const flows = flowTable(settings);

const cluster = new Cluster("cluster", {
  settings: settings.cluster,
  stack: settings.stack,
  registries: [
    ...imageRepositories(settings.images),
    applicationRepository(settings.registry.server, application.image),
  ],
  delivery: argoRollouts !== undefined,
  monitoring: monitoring !== undefined,
  logging: monitoring?.logs !== undefined,
  falco: falco && (falco.sensor.enabled ? "sensor" : "receiver"),
  sealing: sealedSecrets !== undefined,
  backup: velero && (velero.nodeAgent.enabled ? "volumes" : "objects"),
});

const addons = new Addons(
  "addons",
  {
    gateway: settings.gateway,
    flows: flows.addons,
    metricsServer: settings.metricsServer,
    argoRollouts,
    falco:
      falco && cluster.falco
        ? {
            settings: falco,
            namespace: cluster.falco,
            environment: settings.stack,
            flows: entriesOf(flows),
            namespaces: cluster.namespaceNames,
            targets: eventTargets(monitoring),
          }
        : undefined,
    sealedSecrets:
      sealedSecrets && cluster.sealing
        ? { settings: sealedSecrets, namespace: cluster.sealing, files: sealed }
        : undefined,
    velero: velero && cluster.backup ? { settings: velero, namespace: cluster.backup } : undefined,
    images: settings.images,
    gatewayNamespace: cluster.gateway,
    deliveryNamespace: cluster.delivery,
    served: ["gateway", "inventory"],
    released: "inventory",
    priorityClassName: cluster.platformPriority,
    hostnames: [application.hostname],
    appArmor,
    certificate: secrets.gatewayCertificate,
    privateKey: secrets.gatewayPrivateKey,
  },
  { dependsOn: cluster },
);

const measured =
  monitoring !== undefined && cluster.monitoring !== undefined
    ? new Monitoring(
        "monitoring",
        {
          settings: monitoring,
          flows: flows.monitoring,
          images: settings.images,
          namespace: cluster.monitoring,
          loggingNamespace: cluster.logging,
          alertReceivers: secrets.alertReceivers,
          scraped: cluster.namespaceNames,
          backup: application.backup,
          velero,
          priorityClassName: cluster.platformPriority,
          appArmor,
        },
        { dependsOn: cluster },
      )
    : undefined;

const containerRegistry = new Registry("registry", {
  settings: settings.registry,
  password: secrets.registryPassword,
  namespace: cluster.inventory,
});

const applicationImage = new ApplicationImage("inventory-image", {
  settings: application.image,
  version: application.version,
  registry: containerRegistry.login,
  images: settings.images,
});

const inventory = new Application(
  "inventory",
  {
    settings: application,
    namespace: cluster.inventory,
    image: applicationImage.reference,
    downgradeImage: downgrade && releasedReference(settings.registry.server, downgrade.image),
    pullSecrets: containerRegistry.pullSecrets,
    images: settings.images,
    databaseUrl: secrets.databaseUrl,
    backupKey: secrets.backupKey,
    formerBackupKeys: secrets.formerBackupKeys,
    gateway: addons.gateway.parent,
    flows: flows.application,
    releases: {
      prometheus: measured?.prometheus,
      images: settings.images,
      priorityClassName: cluster.applicationPriority,
      environment: settings.stack,
      committedAt: application.committedAt,
    },
    priorityClassName: cluster.applicationPriority,
    databasePriorityClassName: cluster.platformPriority,
    appArmor,
  },
  { dependsOn: [cluster, ...addons.definitions, ...addons.secrets] },
);

if (settings.github !== undefined) {
  new GithubRepository("github", { settings: settings.github, secrets: secrets.github });
}

const { caCertificate } = addons.gateway;

export = {
  url: publicUrl(application.hostname, settings.gateway),
  image: applicationImage.reference,
  registry: settings.registry.server,
  namespaces: cluster.namespaceNames,
  adminApiKey: inventory.adminApiKey,
  ...(application.backup === undefined ? {} : { backupKey: inventory.backupKey }),
  // Only where the platform made the certificate: an output without a value would be a warning in every update.
  ...(caCertificate === undefined ? {} : { gatewayCaCertificate: caCertificate }),
};
