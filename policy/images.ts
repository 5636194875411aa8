import { absentOr, absentOrMatching, isAbsent, type Test } from "./frame/tests";
import { containersOf, each, type Pod } from "./frame/workloads";
import type { Judge, Parameter, Policy, RulePolicy } from "./frame/policy";
import type { Field } from "./frame/field";
import type { Rule } from "./frame/rules";

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

/** The setting of every policy that refuses tags which move. */
export const movingTags: Parameter<readonly string[]> = {
  type: "array",
  items: { type: "string" },
  description: "Tags that are known to move.",
  default: ["latest"],
};

/** An image that names a version by its digest, or by a tag that does not move. */
export function withVersion(mutableTags: readonly string[]): Test {
  const moving = `:(${mutableTags.map(escaped).join("|")})$`;
  return {
    accepts: (value) => {
      if (typeof value !== "string") return false;
      const { tag, digest } = parseImage(value);
      return digest !== undefined || (tag !== undefined && !mutableTags.includes(tag));
    },
    wanted: `an image with a digest or a tag other than ${mutableTags.join(", ")}`,
    cel: (optional) => {
      const image = `${optional}.value()`;
      const tagged = `${image}.matches(":[^/]*$") && !${image}.matches(${JSON.stringify(moving)})`;
      return `(${optional}.hasValue() && (${image}.contains("@") || (${tagged})))`;
    },
  };
}

/** The setting of every policy that is about the application's own image. */
export const applicationRepositories: Parameter<readonly string[]> = {
  type: "array",
  items: { type: "string" },
  description: "Regular expressions; an image whose repository matches one is the application's.",
  default: ["(^|/)inventory$"],
};

/** As a part of a regular expression that stands for itself. */
export const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

export function matchesOne(repository: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => new RegExp(pattern).test(repository));
}

/** Every reference to an image: those of containers, and those that are mounted as volumes. */
const everyImage = (test: Test, mounted = test): readonly Rule[] => [
  { of: "container", path: ["image"], test },
  { of: "pod", path: ["spec", "volumes", each, "image", "reference"], test: mounted },
];

/** The same where there is none, as in a volume of another kind. */
const orAbsent = (test: Test): Test => ({
  ...test,
  accepts: (value) => isAbsent(value) || test.accepts(value),
  cel: (optional) => `(!${optional}.hasValue() || ${test.cel(optional)})`,
});

/** The same references as fields, for what is no rule of a single field. */
export function imagesOf(pod: Pod, judge: Judge): readonly Field[] {
  const containers = containersOf(pod).filter(({ field }) => judge.knows(field));
  const volumes = judge.items(pod.spec.at("volumes")).map((volume) => volume.at("image"));
  return [
    ...containers.map(({ field }) => field.at("image")),
    ...volumes.filter((image) => !image.absent).map((image) => image.at("reference")),
  ];
}

export const noMutableImageTags: RulePolicy<{ mutableTags: readonly string[] }> = {
  name: "no-mutable-image-tags",
  area: "images",
  severity: "high",
  description: "Every image names a version: a tag other than latest, or a digest.",
  why: "A tag that moves runs other code after a restart than the one that was tested, and cannot be rolled back.",
  remedy: ["Give the image a version tag or, better, its digest: repository@sha256:<digest>."],
  link: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
  parameters: { mutableTags: movingTags },
  rules: ({ mutableTags }) => everyImage(withVersion(mutableTags), orAbsent(withVersion(mutableTags))),
};

export const applicationImageByDigest: RulePolicy<{ repositories: readonly string[] }> = {
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
  parameters: { repositories: applicationRepositories },
  rules: ({ repositories }) => everyImage(applicationsByDigest(repositories)),
};

const withDigest = "@sha256:[0-9a-f]{64}$";

/** An image with its digest, if its repository matches one of the patterns. */
function applicationsByDigest(repositories: readonly string[]): Test {
  return {
    accepts: (value) =>
      typeof value !== "string" ||
      !matchesOne(parseImage(value).repository, repositories) ||
      new RegExp(withDigest).test(value),
    wanted: "repository@sha256:<64 hexadecimal digits>",
    cel: (optional) => {
      const image = `${optional}.value()`;
      // What `parseImage` takes for it: up to the tag or the digest.
      const repository = `${image}.find("^(.*/)?[^/:@]*")`;
      const own = repositories.map((pattern) => `${repository}.matches(${JSON.stringify(pattern)})`);
      const isOwn = own.length === 0 ? "false" : own.join(" || ");
      return `(!${optional}.hasValue() || !(${isOwn}) || ${image}.matches(${JSON.stringify(withDigest)}))`;
    },
  };
}

export const imagesByDigest: RulePolicy<{ required: boolean }> = {
  name: "images-by-digest",
  area: "images",
  severity: "medium",
  description: "Every image is named by its digest, where the stack wants that.",
  why: "Whoever can push to a registry can move its tags, but nobody can change what a digest stands for.",
  remedy: [
    "Read the digest of the tag from the registry, for example with docker buildx imagetools inspect.",
    "Name the image repository:tag@sha256:<digest>; the tag is then a remark for the reader.",
  ],
  link: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
  parameters: {
    required: { type: "boolean", description: "Whether the stack wants digests.", default: false },
  },
  rules: ({ required }) =>
    required ? everyImage(absentOrMatching(withDigest, "repository@sha256:<64 hexadecimal digits>")) : [],
};

export const allowedRegistries: RulePolicy<{ registries: readonly string[] }> = {
  name: "allowed-registries",
  area: "images",
  severity: "high",
  description: "Images come from the registries and repositories that the stack names, if it names any.",
  why: "Anybody can publish an image under a name that looks right; what the platform trusts has to be said.",
  remedy: [
    "Use the image of the same program in one of the allowed registries, or mirror it there.",
    "If the source is to be trusted, add it to registries in policy/config/<stack>.json.",
  ],
  link: "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF",
  parameters: {
    registries: {
      type: "array",
      items: { type: "string" },
      description:
        "Registries such as quay.io, or repositories and what is above them such as docker.io/library; none allows all.",
      default: [],
    },
  },
  rules: ({ registries }) => (registries.length === 0 ? [] : everyImage(fromOneOf(registries))),
};

const implicitLibrary = "^[^/]+$";
const explicitHost = "^(localhost|[^/]*[.:][^/]*)/";

/** The image with its registry: a name without one is Docker Hub's. */
export function withRegistry(image: string): string {
  if (new RegExp(implicitLibrary).test(image)) return `docker.io/library/${image}`;
  return new RegExp(explicitHost).test(image) ? image : `docker.io/${image}`;
}

/** A name that begins with one of the prefixes and then with a new part: `quay.io/team` is not `quay.io/team-b`. */
function fromOneOf(registries: readonly string[]): Test {
  const known = registries.map((registry) => escaped(registry.replace(/\/+$/, "")));
  const pattern = `^(${known.join("|")})(/|$|[:@][^/]*$)`;
  const expression = new RegExp(pattern);
  const quoted = JSON.stringify;
  return {
    accepts: (value) =>
      isAbsent(value) || (typeof value === "string" && expression.test(withRegistry(value))),
    wanted: `from ${registries.join(" or ")}`,
    cel: (optional) => {
      const image = `${optional}.value()`;
      const hosted = `${image}.matches(${quoted(explicitHost)}) ? ${image} : "docker.io/" + ${image}`;
      const library = `"docker.io/library/" + ${image}`;
      const full = `(${image}.matches(${quoted(implicitLibrary)}) ? ${library} : (${hosted}))`;
      return `(!${optional}.hasValue() || ${full}.matches(${quoted(pattern)}))`;
    },
  };
}

export const noUnpullableImages: RulePolicy = {
  name: "no-unpullable-images",
  area: "images",
  severity: "medium",
  description: "No container relies on an image that happens to be on its node.",
  why: "With imagePullPolicy Never the pod fails on every node that has no copy, and nobody checks what the copy is.",
  remedy: [
    "Remove imagePullPolicy, or set it to IfNotPresent or Always.",
    "Push a locally built image to the stack's registry.",
  ],
  link: "https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy",
  rules: () => [
    { of: "container", path: ["imagePullPolicy"], test: absentOr("IfNotPresent", "Always") },
    {
      of: "pod",
      path: ["spec", "volumes", each, "image", "pullPolicy"],
      test: absentOr("IfNotPresent", "Always"),
    },
  ],
};

export const imagePolicies: readonly Policy[] = [
  noMutableImageTags,
  applicationImageByDigest,
  imagesByDigest,
  allowedRegistries,
  noUnpullableImages,
];
