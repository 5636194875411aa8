import { z } from "zod";

/** What an update left behind, as far as it is needed to go back to it. */
export interface LeftBehind {
  /** The application's image that ran afterwards, `repository@sha256:…`; undefined when the stack says none. */
  readonly image?: string;
  /** The application's release, by its Pods' annotation; only known when the whole state was read. */
  readonly release?: string;
  /** What the state's secrets, and those of the settings, were encrypted with. */
  readonly secretsProvider?: SecretsProvider;
}

const secretsProvider = z.looseObject({
  type: z.string(),
  state: z.record(z.string(), z.unknown()).nullish(),
});
export type SecretsProvider = z.infer<typeof secretsProvider>;

const deployment = z.looseObject({
  secrets_providers: secretsProvider.nullish(),
  resources: z
    .array(
      z.looseObject({
        type: z.string(),
        inputs: z.record(z.string(), z.unknown()).nullish(),
        outputs: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .nullish(),
});
const rollout = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      metadata: z.looseObject({ annotations: z.looseObject({ "technova.io/release": z.string() }) }),
    }),
  }),
});
const checkpoint = z.looseObject({ checkpoint: z.looseObject({ latest: deployment.nullish() }) });

/**
 * How much of a checkpoint is read at first. It may have megabytes, and what is needed stands in front: the secrets
 * provider, then the stack's own resource with its outputs.
 */
export const headBytes = 16 << 10;

const providerInHead = /"secrets_providers":(\{"type":"[^"]*"(?:,"state":\{[^{}]*\})?\})/;
// Within the stack's own resource: the next one begins with its URN.
const outputsInHead =
  /"type":"pulumi:pulumi:Stack"(?:(?!"urn":)[^])*?"outputs":\{(?:(?!"urn":)[^])*?"image":"([^"\\]+@sha256:[0-9a-f]{64})"/;

/** Looks into the beginning of a checkpoint; undefined when that does not tell everything. */
export function readHead(text: string): LeftBehind | undefined {
  const provider = providerInHead.exec(text)?.[1];
  const image = outputsInHead.exec(text)?.[1];
  if (provider === undefined || image === undefined) return undefined;
  return { image, secretsProvider: secretsProvider.parse(JSON.parse(provider)) };
}

/** Reads a whole checkpoint. */
export function readWhole(text: string): LeftBehind {
  return leftBehindBy(checkpoint.parse(JSON.parse(text)).checkpoint.latest ?? {});
}

/** The same of a deployment as `stack export` has it. */
export function leftBehindBy(value: unknown): LeftBehind {
  const { secrets_providers: provider, resources } = deployment.parse(value);
  const outputs = resources?.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
  const { image } = outputs;
  const released = rollout.safeParse(resources?.find(({ type }) => type.endsWith(":Rollout"))?.inputs);
  return {
    release: released.data?.spec.template.metadata.annotations["technova.io/release"],
    image: typeof image === "string" && image.includes("@sha256:") ? image : undefined,
    secretsProvider: provider ?? undefined,
  };
}
