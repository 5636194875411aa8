import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import * as pulumi from "@pulumi/pulumi";
import { platformLabels } from "../../labels";
import { UpstreamManifest } from "../../manifest";
import { SealedSecretsAccess } from "./access";
import { Controller, type ControllerArgs } from "./controller";
import { readSealedFiles, type SealedFile } from "./files";

export interface SealedSecretsArgs extends Omit<ControllerArgs, "serviceAccount"> {
  /** What is sealed for the stack. */
  readonly files: readonly SealedFile[];
}

/** Secrets that lie encrypted in the checkout, and the controller that makes Secrets of them in the cluster. */
export class SealedSecrets extends pulumi.ComponentResource {
  /** What is there once the Secrets are. */
  readonly secrets: readonly pulumi.Resource[];

  constructor(name: string, args: SealedSecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:SealedSecrets", name, {}, opts);
    const parent = { parent: this };
    const { definitions } = new UpstreamManifest(
      `${name}-definition`,
      { manifest: "sealed-secrets" },
      parent,
    );
    const access = new SealedSecretsAccess(
      `${name}-access`,
      { namespace: args.namespace, made: namesIn(args.settings.namespaces, args.files) },
      parent,
    );
    const controller = new Controller(
      `${name}-controller`,
      { ...args, serviceAccount: access.serviceAccount },
      { ...parent, dependsOn: [...definitions, ...access.bindings] },
    );
    this.secrets = args.files.map(({ object: { apiVersion, kind, metadata, spec } }) => {
      const { labels, annotations } = metadata;
      return new CustomResource(
        `${name}-${metadata.namespace}-${metadata.name}`,
        {
          apiVersion,
          kind,
          metadata: {
            ...metadata,
            labels: { ...labels, ...platformLabels },
            // What cannot be unsealed is an update that has failed.
            annotations: { ...annotations, "pulumi.com/waitFor": "condition=Synced" },
          },
          spec,
        },
        { ...parent, dependsOn: controller },
      );
    });
    this.registerOutputs();
  }
}

function namesIn(namespaces: readonly string[], files: readonly SealedFile[]): Record<string, string[]> {
  return Object.fromEntries(
    [...new Set(namespaces)].map((namespace) => {
      const own = files.filter(({ object }) => object.metadata.namespace === namespace);
      return [namespace, own.map(({ object }) => object.metadata.name)];
    }),
  );
}

/**
 * What is sealed for a stack.
 * @throws pulumi.RunError with every file that cannot be used, before anything is registered
 */
export function sealedFiles(stack: string, settings?: SealedSecretsArgs["settings"]): readonly SealedFile[] {
  const { files, problems } = readSealedFiles(process.cwd(), stack, settings?.namespaces ?? []);
  if (problems.length === 0) return files;
  throw new pulumi.RunError(
    `What is sealed for the stack "${stack}" has to be put right; nothing was changed:\n` +
      problems.map((problem) => `  ${problem}`).join("\n"),
  );
}
