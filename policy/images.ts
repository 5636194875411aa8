import type { ContainerPolicy, Policy } from "./frame/policy";
import { matching } from "./frame/tests";

/** An image reference taken apart; `repository` has its registry with it. */
export interface ImageReference {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** `host:5000/team/app:1.2@sha256:...`: a colon before the last slash belongs to the registry's port. */
export function parseImage(image: string): ImageReference {
  const [name = "", digest] = image.split("@");
  const colon = name.lastIndexOf(":");
  if (colon <= name.lastIndexOf("/")) return { repository: name, digest };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1), digest };
}

export const noMutableImageTags: ContainerPolicy<{ mutableTags: readonly string[] }> = {
  name: "no-mutable-image-tags",
  area: "images",
  severity: "high",
  description: "Every image names a version: a tag other than latest, or a digest.",
  why: "A tag that moves runs other code after a restart than the one that was tested, and cannot be rolled back.",
  remedy: ["Give the image a version tag or, better, its digest: repository@sha256:<digest>."],
  link: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
  parameters: {
    mutableTags: {
      type: "array",
      items: { type: "string" },
      description: "Tags that are known to move.",
      default: ["latest"],
    },
  },
  checkContainer({ field }, judge, { mutableTags }) {
    const accepts = (value: unknown) => {
      if (typeof value !== "string") return false;
      const { tag, digest } = parseImage(value);
      return digest !== undefined || (tag !== undefined && !mutableTags.includes(tag));
    };
    const wanted = `an image with a digest or a tag other than ${mutableTags.join(", ")}`;
    judge.expect(field.at("image"), { accepts, wanted });
  },
};

export const applicationImageByDigest: ContainerPolicy<{ repositories: readonly string[] }> = {
  name: "application-image-by-digest",
  area: "images",
  severity: "high",
  description: "The application's image is named by its digest.",
  why: "Only a digest says which build runs: what was tested is what is deployed, and a rollback gets it back.",
  remedy: [
    "Take the digest that the registry answered to the push.",
    "Set it as technova:application image.digest, so that the container runs repository@sha256:<digest>.",
  ],
  link: "https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy",
  parameters: {
    repositories: {
      type: "array",
      items: { type: "string" },
      description: "Regular expressions; an image whose repository matches one is the application's.",
      default: ["(^|/)inventory$"],
    },
  },
  checkContainer({ field }, judge, { repositories }) {
    const image = field.at("image");
    if (!judge.knows(image) || typeof image.value !== "string") return;
    const { repository } = parseImage(image.value);
    if (!repositories.some((pattern) => new RegExp(pattern).test(repository))) return;
    judge.expect(image, matching("@sha256:[0-9a-f]{64}$", `${repository}@sha256:<64 hexadecimal digits>`));
  },
};

export const imagePolicies: readonly Policy[] = [noMutableImageTags, applicationImageByDigest];
