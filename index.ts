import { Addons } from "./components/addons";
import { publicUrl } from "./components/addons/gateway";
import { sealedFiles } from "./components/addons/sealedSecrets";
import { Cluster } from "./components/cluster";
import { flowTable } from "./components/cluster/flowTable";
import { neededNamespaces } from "./components/cluster/namespaces";
import { loadSettings } from "./components/config";
import { Application } from "./components/delivery/application";
import { GithubRepository } from "./components/github";
import { imageRepositories } from "./components/images";
import { Monitoring } from "./components/monitoring";
import { protectWhatStays } from "./components/protection";
import { Registry } from "./components/registry";
import { ApplicationImage, applicationRepository, releasedReference } from "./components/registry/image";

const settings = loadSettings();
const transformations = settings.protect ? [protectWhatStays] : [];
const { application, gateway, images, monitoring, registry, secrets, stack } = settings;
const sealed = sealedFiles(stack, settings.sealedSecrets);
const flows = flowTable(settings);

const cluster = new Cluster("cluster", {
  settings: settings.cluster,
  stack,
  registries: [...imageRepositories(images), applicationRepository(registry.server, application.image)],
  namespaces: neededNamespaces(settings),
});
const { namespaceNames, namespaceOf, platformPriority, applicationPriority } = cluster;
const pods = { images, appArmor: settings.cluster.appArmor, priorityClassName: platformPriority };

// Early: it is built while the rest is looked at, and a release waits for it.
const containerRegistry = new Registry("registry", {
  settings: registry,
  password: secrets.registryPassword,
  namespace: namespaceOf("inventory"),
});

const applicationImage = new ApplicationImage("inventory-image", {
  settings: application.image,
  version: application.version,
  registry: containerRegistry.login,
  images,
});

const addons = new Addons(
  "addons",
  {
    ...pods,
    settings,
    flows,
    sealed,
    namespaceOf,
    namespaceNames,
    served: ["gateway", "inventory"],
    released: "inventory",
    hostnames: [application.hostname],
    certificate: secrets.gatewayCertificate,
    privateKey: secrets.gatewayPrivateKey,
  },
  { dependsOn: cluster, transformations },
);

const measured =
  monitoring &&
  new Monitoring(
    "monitoring",
    {
      ...pods,
      settings: monitoring,
      flows: flows.monitoring,
      namespaceOf,
      alertReceivers: secrets.alertReceivers,
      scraped: namespaceNames,
      backup: application.backup,
      velero: settings.velero,
    },
    { dependsOn: cluster, transformations },
  );

const { downgrade } = application.migration;
const inventory = new Application(
  "inventory",
  {
    ...pods,
    settings: application,
    namespace: namespaceOf("inventory"),
    image: applicationImage.reference,
    downgradeImage: downgrade && releasedReference(registry.server, downgrade.image),
    pullSecrets: containerRegistry.pullSecrets,
    sealed,
    databaseUrl: secrets.databaseUrl,
    backupKey: secrets.backupKey,
    formerBackupKeys: secrets.formerBackupKeys,
    gateway: addons.gateway.parent,
    flows: flows.application,
    releases: {
      prometheus: measured?.prometheus,
      images,
      priorityClassName: applicationPriority,
      environment: stack,
      committedAt: application.committedAt,
    },
    priorityClassName: applicationPriority,
    databasePriorityClassName: platformPriority,
  },
  { dependsOn: [cluster, ...addons.definitions, ...addons.secrets], transformations },
);

if (settings.github !== undefined) {
  new GithubRepository("github", { settings: settings.github, secrets: secrets.github }, { transformations });
}

const { caCertificate } = addons.gateway;

export = {
  url: publicUrl(application.hostname, gateway),
  image: applicationImage.reference,
  registry: registry.server,
  namespaces: namespaceNames,
  adminApiKey: inventory.adminApiKey,
  ...(application.backup === undefined ? {} : { backupKey: inventory.backupKey }),
  // Only where the platform made the certificate: an output without a value would be a warning in every update.
  ...(caCertificate === undefined ? {} : { gatewayCaCertificate: caCertificate }),
};
