import { type Answer, all, answerOf, any, expectOne, fits, not } from "./frame/answers";
import { Judge, type ObjectPolicy, type Policy, shown, type StackPolicy } from "./frame/policy";
import { applicationRepositories, imagesOf, matchesOne, movingTags, parseImage, withVersion } from "./images";
import { credentialFor } from "./frame/credentials";
import type { Field } from "./frame/field";
import { fitsGlob, fitsWildcard } from "./imagePatterns";
import { isAbsent } from "./frame/tests";
import { mayEqual } from "./frame/matching";
import { podsOf } from "./frame/workloads";
import type { Target } from "./frame/objects";

const isFilled = (value: unknown) => Array.isArray(value) && value.length > 0;

export const verifiedSignatures: StackPolicy<{
  namespaces: readonly string[];
  repositories: readonly string[];
}> = {
  name: "verified-signatures",
  area: "supply-chain",
  severity: "high",
  description: "The cluster runs only images of the application whose signature it has verified.",
  why: "A digest says which image it is, not who built it: whoever can push to the registry can have it deployed.",
  remedy: [
    "Sign images where they are built.",
    'Label the namespace policy.sigstore.dev/include: "true" and create a ClusterImagePolicy with the key or identity.',
    "With Kyverno instead, create a ClusterPolicy that enforces verifyImages in the namespace.",
    "Have its globs or image references fit the application's images.",
  ],
  link: "https://docs.sigstore.dev/policy-controller/overview/",
  parameters: {
    namespaces: {
      type: "array",
      items: { type: "string" },
      description: "The namespaces whose images have to be verified.",
      default: ["inventory"],
    },
    repositories: applicationRepositories,
  },
  checkStack(objects, judgeOf, { namespaces, repositories }) {
    const policies = objects.filter(({ group }) => group === "policy.sigstore.dev" || group === "kyverno.io");
    for (const namespace of objects) {
      if (namespace.kind !== "Namespace" || namespace.group !== "core") continue;
      const name = namespace.root.at("metadata", "name");
      if (!judgeOf(namespace).knows(name) || !namespaces.includes(String(name.value))) continue;
      const label = namespace.root.at("metadata", "labels", "policy.sigstore.dev/include");
      const included = answerOf(label, (value) => value === "true");
      const judge = judgeOf(namespace);
      const images = applicationImages(objects, name, repositories);
      for (const covered of images.length === 0 ? [mayBe(repositories)] : images.map(isFitted)) {
        const candidates = policies.map((policy) => {
          const answer =
            policy.group === "kyverno.io"
              ? verifies(policy, name, covered)
              : all(included, isImagePolicy(policy, covered));
          return [policy, answer] as const;
        });
        expectOne(judgeOf, candidates, () => {
          // One finding says it of all images.
          if (judge.violations.length > 0) return;
          if (included === false && policies.some(({ kind }) => kind === imagePolicy))
            judge.report(label, `is ${shown(label.value)}, must be "true"`);
          else if (policies.length === 0)
            judge.report(name, `is ${shown(name.value)}, where nothing verifies signatures`);
          else
            judge.report(
              name,
              `is ${shown(name.value)}, where no policy enforces an authority for each image of the application`,
            );
        });
      }
    }
  },
};

/** Whether a reference is about an image, by the way in which its policy writes it. */
type Covered = (pattern: string, fits: (image: string, pattern: string) => boolean) => Answer;

const isFitted =
  (image: Field): Covered =>
  (pattern, fits) =>
    // What may be any image fits one that is unknown, too.
    fits("any.example/image/of/any@name", pattern) ||
    answerOf(image, (value) => fits(String(value), pattern));

/** Where no image is known: a name without a wildcard must be the application's. */
const mayBe =
  (repositories: readonly string[]): Covered =>
  (pattern) =>
    pattern.includes("*") || matchesOne(parseImage(pattern).repository, repositories);

/** The application's images in a namespace, each once, and those that may be. */
function applicationImages(
  objects: readonly Target[],
  namespace: Field,
  repositories: readonly string[],
): readonly Field[] {
  const images = objects
    .filter(({ root }) => mayEqual(root.at("metadata", "namespace"), namespace))
    .flatMap(podsOf)
    .flatMap((pod) => imagesOf(pod, new Judge()))
    .filter(
      ({ unknown, value }) => unknown || matchesOne(parseImage(String(value)).repository, repositories),
    );
  return [...new Map(images.map((image) => [image.value, image])).values()];
}

const imagePolicy = "ClusterImagePolicy";

/** A policy of Sigstore's that enforces a key or an identity; a static authority that passes everything is none. */
function isImagePolicy({ kind, root }: Target, covered: Covered): Answer {
  if (kind !== imagePolicy) return false;
  const verifying = root
    .at("spec", "authorities")
    .items()
    .map((authority) => (authority.unknown ? authority : answerOf(authority.at("static"), isAbsent)));
  const globs = root
    .at("spec", "images")
    .items()
    .map((image) => image.at("glob"));
  return all(
    answerOf(root.at("spec", "mode"), (value) => value !== "warn"),
    verifying.length > 0 && all(...verifying),
    any(...globs.map((glob) => patternAnswer(glob, covered, fitsGlob))),
  );
}

function patternAnswer(pattern: Field, covered: Covered, fits: Parameters<Covered>[1]): Answer {
  if (pattern.unknown) return pattern;
  return typeof pattern.value === "string" && covered(pattern.value, fits);
}

/** A policy of Kyverno's that refuses images in the namespace whose signature is not that of an attestor. */
function verifies({ kind, root }: Target, namespace: Field, covered: Covered): Answer {
  if (kind !== "ClusterPolicy" && kind !== "Policy") return false;
  const own =
    kind === "ClusterPolicy" ||
    answerOf(root.at("metadata", "namespace"), (value) => value === namespace.value);
  const common = root.at("spec", "validationFailureAction");
  const rules = root.at("spec", "rules").items();
  return all(own, any(...rules.map((rule) => ruleVerifies(rule, common, namespace, covered))));
}

function ruleVerifies(rule: Field, common: Field, namespace: Field, covered: Covered): Answer {
  const checks = rule.at("verifyImages").items();
  return any(
    ...checks.map((check) => {
      const fitting = (key: string) =>
        check
          .at(key)
          .items()
          .map((pattern) => patternAnswer(pattern, covered, fitsWildcard));
      return all(
        answerOf(check.at("attestors"), isFilled),
        answerOf(check.at("required"), (value) => value !== false),
        answerOf(check.at("failureAction").or(common), (value) => /^enforce$/i.test(String(value))),
        isAbout(rule.at("match"), namespace),
        answerOf(rule.at("exclude"), isAbsent),
        any(...fitting("imageReferences")),
        not(any(...fitting("skipImageReferences"))),
      );
    }),
  );
}

/** Whether a rule's `match` reaches the namespace: one that names none reaches all. */
function isAbout(match: Field, namespace: Field): Answer {
  const filters = ["any", "all"].flatMap((key) => match.at(key).items());
  return any(
    ...filters.map((filter) =>
      answerOf(filter.at("resources", "namespaces"), (value) => {
        return isAbsent(value) || (Array.isArray(value) && fits(String(namespace.value), value.map(String)));
      }),
    ),
  );
}

/** The arguments of an image's build, for both of the Docker providers. */
function buildArguments({ root }: Target): Field {
  return root.at("buildArgs").or(root.at("build", "args"));
}

export const noSecretsInBuildArguments: ObjectPolicy = {
  name: "no-secrets-in-build-arguments",
  area: "supply-chain",
  severity: "critical",
  description: "No image is built with a secret among its arguments.",
  why: "Build arguments stay in the image's history, where everybody who may pull it reads them.",
  remedy: [
    "Mount the secret during the build: RUN --mount=type=secret.",
    "Treat the value that was here as known to others: replace it.",
  ],
  link: "https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/",
  kinds: ["Image"],
  checkObject(object, judge) {
    if (object.group !== "docker") return;
    for (const [name, value] of buildArguments(object).entries()) {
      if (!judge.knows(value) || typeof value.value !== "string") continue;
      const what = credentialFor(name, value.value);
      if (what !== undefined) judge.report(value, `holds ${what} (not shown), must be mounted as a secret`);
    }
  },
};

export const baseImageVersions: ObjectPolicy<{ mutableTags: readonly string[] }> = {
  name: "base-image-versions",
  area: "supply-chain",
  severity: "medium",
  description: "Images are built on a base whose version is named.",
  why: "On a base that moves, the same source gives another image tomorrow, with whatever got into the base since.",
  remedy: ["Give the build argument that names the base a version tag or, better, a digest."],
  link: "https://slsa.dev/spec/v1.0/threats",
  parameters: { mutableTags: movingTags },
  kinds: ["Image"],
  checkObject(object, judge, { mutableTags }) {
    if (object.group !== "docker") return;
    for (const [name, value] of buildArguments(object).entries()) {
      if (name === "") judge.knows(value);
      else if (/(^|_)IMAGE$/.test(name)) judge.expect(value, withVersion(mutableTags));
    }
  },
};

export const supplyChainPolicies: readonly Policy[] = [
  verifiedSignatures,
  noSecretsInBuildArguments,
  baseImageVersions,
];
