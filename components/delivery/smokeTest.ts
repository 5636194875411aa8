import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import { Secret, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { SmokeTestSettings } from "../config/analysis";
import { labels, type Identity } from "../labels";
import { containerSecurity, podSecurity, type PodSecurityArgs } from "../security";
import { applicationUser } from "./workload";

export interface SmokeTestJobArgs extends PodSecurityArgs {
  readonly application: string;
  readonly namespace: pulumi.Input<string>;
  readonly version: string;
  /** The release's own image, which has the tests that belong to it. */
  readonly image: pulumi.Input<string>;
  readonly pullSecrets: readonly pulumi.Input<string>[];
  /** The key that the tests use; secret. */
  readonly apiKey: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
}

export function smokeTestIdentity(application: string): Identity {
  return { name: application, component: "smoke-test" };
}

const keyPath = "/etc/smoke-test";
/** For the first answer: the policies of a busy node may take seconds to know a new Pod. */
const waitSeconds = 20;

/** What runs the application's own tests against Pods that no user reaches yet. */
export class SmokeTestJob extends pulumi.ComponentResource {
  private readonly pod: input.core.v1.PodSpec;

  constructor(
    name: string,
    private readonly args: SmokeTestJobArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("technova:delivery:SmokeTestJob", name, {}, opts);
    const parent = { parent: this };
    const metadata = { namespace: args.namespace, labels: labels(smokeTestIdentity(args.application)) };
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      parent,
    );
    const key = new Secret(
      `${name}-key`,
      { metadata, immutable: true, stringData: { key: args.apiKey } },
      parent,
    );
    const imagePullSecrets = args.pullSecrets.map((each) => ({ name: each }));
    this.pod = {
      restartPolicy: "Never",
      serviceAccountName: account.metadata.name,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      priorityClassName: args.priorityClassName,
      ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
      securityContext: podSecurity(applicationUser, args),
      containers: [
        {
          name: "smoke-test",
          image: args.image,
          imagePullPolicy: "IfNotPresent",
          terminationMessagePolicy: "FallbackToLogsOnError",
          resources: {
            requests: { cpu: "50m", memory: "64Mi" },
            limits: { cpu: "500m", memory: "128Mi" },
          },
          securityContext: containerSecurity,
          volumeMounts: [{ name: "key", mountPath: keyPath, readOnly: true }],
        },
      ],
      volumes: [{ name: "key", secret: { secretName: key.metadata.name, defaultMode: 0o440 } }],
    };
    this.registerOutputs();
  }

  /** Makes the template that runs the tests against its argument `url`; returns its name. */
  template(
    name: string,
    settings: SmokeTestSettings,
    opts: pulumi.CustomResourceOptions,
  ): pulumi.Output<string> {
    const { application, namespace, version } = this.args;
    const identity = smokeTestIdentity(application);
    const command = [
      "inventory",
      "smoke-test",
      "--url={{args.url}}",
      `--expect-version=${version}`,
      `--api-key-file=${keyPath}/key`,
      `--rounds=${settings.rounds}`,
      `--wait=${waitSeconds}`,
      ...(settings.write ? ["--write"] : []),
    ];
    const [container] = this.pod.containers as input.core.v1.Container[];
    return new CustomResource(
      `${name}-template`,
      {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "AnalysisTemplate",
        metadata: { namespace, labels: labels(identity) },
        spec: {
          args: [{ name: "url" }],
          metrics: [
            {
              name: "smoke-test",
              provider: {
                job: {
                  metadata: { labels: labels(identity, version) },
                  spec: {
                    backoffLimit: 0,
                    activeDeadlineSeconds: settings.timeoutSeconds,
                    template: {
                      metadata: { labels: labels(identity, version) },
                      spec: { ...this.pod, containers: [{ ...container, command }] },
                    },
                  },
                },
              },
            },
          ],
        },
      },
      opts,
    ).metadata.name;
  }
}
