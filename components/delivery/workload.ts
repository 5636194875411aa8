import type { input } from "@pulumi/kubernetes/types";
import type * as pulumi from "@pulumi/pulumi";
import type { ApplicationSettings } from "../config/application";
import { labels, type Identity } from "../labels";
import { scrapeAnnotations } from "../monitoring/scraping";
import {
  containerSecurity,
  podSecurity,
  type PodSecurityArgs,
  resourceRequirements,
  temporaryMount,
  temporaryVolume,
  topologySpread,
} from "../security";
import { liveLabels } from "./service";

export const applicationPort = 8080;

/** What every Pod of the application is made from, whatever it runs. */
export interface PodArgs extends PodSecurityArgs {
  readonly settings: ApplicationSettings;
  readonly identity: Identity;
  readonly image: pulumi.Input<string>;
  readonly serviceAccountName: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
  readonly pullSecrets: readonly pulumi.Input<string>[];
  readonly configMapName: pulumi.Input<string>;
  readonly secretNames: readonly pulumi.Input<string>[];
}

export const applicationUser = 10001;
const secretPath = "/etc/inventory/secrets";

/** A template whose labels and annotations are known. */
export interface ServingPod extends input.core.v1.PodTemplateSpec {
  readonly metadata: {
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
  };
}

/**
 * The Pod that serves requests. Its removal loses none: it goes on serving until every proxy has noticed.
 * @param sealed what stands for the content of Secrets that keep their name: another one is another release
 */
export function servingPod(args: PodArgs, sealed?: string): ServingPod {
  const { settings, identity } = args;
  const probe = (path: string) => ({ httpGet: { path, port: "http" }, timeoutSeconds: 3 });
  const { drainSeconds, graceSeconds } = settings.shutdown;
  return {
    metadata: {
      labels: { ...labels(identity, settings.version), ...liveLabels(identity) },
      annotations: {
        ...scrapeAnnotations(applicationPort),
        "technova.io/schema-revision": settings.schemaRevision,
        ...(sealed === undefined ? {} : { "technova.io/sealed": sealed }),
      },
    },
    spec: {
      ...podSpec(args, {
        command: ["inventory", "serve"],
        ports: [{ name: "http", containerPort: applicationPort }],
        // Patient: on a busy node a start takes minutes, and killing it for that would make the node busier.
        startupProbe: { ...probe("/healthz"), periodSeconds: 2, failureThreshold: 90 },
        readinessProbe: { ...probe("/readyz"), periodSeconds: 5, failureThreshold: 3 },
        livenessProbe: { ...probe("/healthz"), periodSeconds: 10, failureThreshold: 6 },
        lifecycle: { preStop: { sleep: { seconds: drainSeconds } } },
      }),
      terminationGracePeriodSeconds: drainSeconds + graceSeconds + 5,
      topologySpreadConstraints: topologySpread(
        settings.spread,
        liveLabels(identity),
        "rollouts-pod-template-hash",
      ),
    },
  };
}

/** One command of the application's image, and what it sees beyond what every Pod does. */
export interface Command {
  readonly command: pulumi.Input<string>[];
  readonly mounts?: readonly input.core.v1.VolumeMount[];
  /** Whether it works without the application's secrets, and so does not see them. */
  readonly secretless?: boolean;
}

/** A Pod that runs one command to its end, after others that have to succeed first. */
export function commandPod(
  args: PodArgs,
  { command, mounts = [] }: Command,
  before: readonly input.core.v1.Container[] = [],
  volumes: readonly input.core.v1.Volume[] = [],
): { metadata: input.meta.v1.ObjectMeta; spec: input.core.v1.PodSpec } {
  const spec = podSpec(args, commandContainer(args, args.identity.name, { command, mounts }));
  return {
    metadata: { labels: labels(args.identity, args.settings.version) },
    spec: {
      ...spec,
      initContainers: [...before],
      volumes: [...spec.volumes, ...volumes],
      restartPolicy: "Never",
    },
  };
}

/** A container that runs one command; where it fails, its last words are the reason that is told. */
export function commandContainer(
  args: PodArgs,
  name: string,
  { command, mounts = [], secretless = false }: Command,
): input.core.v1.Container {
  return {
    ...applicationContainer(args),
    name,
    command,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [...(secretless ? [temporaryMount] : applicationMounts()), ...mounts],
  };
}

function applicationMounts(): input.core.v1.VolumeMount[] {
  return [temporaryMount, { name: "secrets", mountPath: secretPath, readOnly: true }];
}

function applicationContainer(args: PodArgs): input.core.v1.Container {
  return {
    name: args.identity.name,
    image: args.image,
    imagePullPolicy: "IfNotPresent",
    envFrom: [{ configMapRef: { name: args.configMapName } }],
    resources: resourceRequirements(args.settings.resources),
    securityContext: containerSecurity,
    volumeMounts: applicationMounts(),
  };
}

function podSpec(
  args: PodArgs,
  container: Partial<input.core.v1.Container>,
): input.core.v1.PodSpec & { volumes: input.core.v1.Volume[] } {
  return {
    serviceAccountName: args.serviceAccountName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    priorityClassName: args.priorityClassName,
    ...pullSecrets(args),
    securityContext: podSecurity(applicationUser, args),
    containers: [{ ...applicationContainer(args), ...container }],
    volumes: [
      temporaryVolume("64Mi"),
      {
        name: "secrets",
        projected: { defaultMode: 0o440, sources: args.secretNames.map((name) => ({ secret: { name } })) },
      },
    ],
  };
}

/** No empty list: the API server leaves it out, and every later preview would want to add it. */
function pullSecrets(args: PodArgs): Pick<input.core.v1.PodSpec, "imagePullSecrets"> {
  const imagePullSecrets = args.pullSecrets.map((name) => ({ name }));
  return imagePullSecrets.length === 0 ? {} : { imagePullSecrets };
}
