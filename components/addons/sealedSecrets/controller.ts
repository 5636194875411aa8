import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { Service } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { SealedSecretsSettings } from "../../config/sealedSecrets";
import { imageReference, images, type ImageSource } from "../../images";
import { labels, selectorLabels } from "../../labels";
import { scrapeAnnotations } from "../../monitoring/scraping";
import {
  containerSecurity,
  podSecurity,
  type PodSecurityArgs,
  resourceRequirements,
  temporaryMount,
  temporaryVolume,
} from "../../security";
import { controllerIdentity, controllerName, controllerPorts } from "./names";

export interface ControllerArgs extends PodSecurityArgs {
  readonly settings: SealedSecretsSettings;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  readonly serviceAccount: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
}

/** Makes Secrets of those that are sealed, and tells people with what to seal. */
export class Controller extends pulumi.ComponentResource {
  constructor(name: string, args: ControllerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:SealedSecretsController", name, {}, opts);
    const parent = { parent: this };
    const { namespace } = args;
    const metadata = {
      namespace,
      labels: labels(controllerIdentity, images.sealedSecrets.version),
      // A fixed name: exceptions from the policies and people refer to it.
      name: controllerName,
    };
    const selector = selectorLabels(controllerIdentity);
    new Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          // Two would each make a key, and each unseal everything.
          replicas: 1,
          revisionHistoryLimit: 0,
          strategy: { type: "Recreate" },
          selector: { matchLabels: selector },
          template: {
            metadata: { labels: metadata.labels, annotations: scrapeAnnotations(controllerPorts.metrics) },
            spec: {
              serviceAccountName: args.serviceAccount,
              // Its account's token is what it reads its keys and makes Secrets with.
              automountServiceAccountToken: true,
              enableServiceLinks: false,
              priorityClassName: args.priorityClassName,
              securityContext: podSecurity(1001, args),
              containers: [container(args)],
              volumes: [temporaryVolume("16Mi")],
            },
          },
        },
      },
      parent,
    );
    new Service(
      `${name}-service`,
      {
        metadata,
        spec: { selector, ports: [{ name: "http", port: controllerPorts.http, targetPort: "http" }] },
      },
      parent,
    );
    this.registerOutputs();
  }
}

function container({ settings, images: source }: ControllerArgs): input.core.v1.Container {
  const probe = (path: string) => ({ httpGet: { path, port: "http" }, timeoutSeconds: 3 });
  return {
    name: "sealed-secrets",
    image: imageReference("sealedSecrets", source),
    imagePullPolicy: "IfNotPresent",
    args: [
      "--all-namespaces=false",
      `--additional-namespaces=${settings.namespaces.join(",")}`,
      `--key-renew-period=${settings.keyRenewalDays * 24}h`,
      // To see that a Secret was deleted it would have to read all of them.
      "--skip-recreate=true",
      // Half a minute instead of a moment: its rights may be younger than what it is to unseal.
      "--max-unseal-retries=12",
      "--accept-deprecated-v1-data=false",
      "--log-format=json",
    ],
    ports: Object.entries(controllerPorts).map(([port, containerPort]) => ({ name: port, containerPort })),
    // Before its first answer it makes a key, which a busy node takes a while for.
    startupProbe: { ...probe("/healthz"), periodSeconds: 2, failureThreshold: 60 },
    readinessProbe: { ...probe("/readyz"), periodSeconds: 5, failureThreshold: 3 },
    livenessProbe: { ...probe("/healthz"), periodSeconds: 20, failureThreshold: 6 },
    resources: resourceRequirements(settings.resources),
    securityContext: containerSecurity,
    volumeMounts: [temporaryMount],
  };
}
