import { Image } from "@pulumi/docker/image";
import * as pulumi from "@pulumi/pulumi";
import type { ImageSettings } from "../config/application";
import { imageReference, type ImageSource } from "../images";
import type { RegistryLogin } from "./index";

export interface ApplicationImageArgs {
  readonly settings: ImageSettings;
  /** The release's version: the tag of a built image, and what the service says of itself. */
  readonly version: string;
  readonly registry: RegistryLogin;
  /** Where the base image of a build comes from. */
  readonly images: ImageSource;
}

/** The application's image: built and pushed by this update, or taken as a release that is already there. */
export class ApplicationImage extends pulumi.ComponentResource {
  /** `repository@sha256:...`; unknown in a preview that will build. */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, args: ApplicationImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:registry:ApplicationImage", name, {}, opts);
    const { settings, registry } = args;
    if ("build" in settings) {
      const { repository, context, offline } = settings.build;
      const built = new Image(
        `${name}-build`,
        {
          imageName: `${registry.server}/${repository}:${args.version}`,
          build: {
            context,
            dockerfile: `${context}/Dockerfile`,
            args: {
              APP_VERSION: args.version,
              BASE_IMAGE: imageReference("python", args.images),
              ...(offline ? { PIP_NO_INDEX: "1" } : {}),
            },
          },
          registry: { ...registry },
        },
        { parent: this },
      );
      this.reference = built.repoDigest;
    } else {
      this.reference = pulumi.output(releasedReference(registry.server, settings));
    }
    this.registerOutputs({ reference: this.reference });
  }
}

/** `registry/repository` of the application's image, built or taken. */
export function applicationRepository(server: string, settings: ImageSettings): string {
  return `${server}/${"build" in settings ? settings.build.repository : settings.repository}`;
}

/** `registry/repository@sha256:...` of an image that the registry has already. */
export function releasedReference(
  server: string,
  { repository, digest }: Extract<ImageSettings, { digest: string }>,
): string {
  return `${server}/${repository}@${digest}`;
}
