import {
  allowedRegistries,
  applicationImageByDigest,
  imagesByDigest,
  noMutableImageTags,
  noUnpullableImages,
  parseImage,
  withRegistry,
} from "../../policy/images";
import { changed, goodPod, outcome, podTypes } from "../support/policy";
import { describePodPolicy } from "./cases";
import { expect } from "chai";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

describe("policy/images", () => {
  const references: Record<string, ReturnType<typeof parseImage>> = {
    nginx: { repository: "nginx", digest: undefined },
    "nginx:1.27": { repository: "nginx", tag: "1.27", digest: undefined },
    "localhost:5050/team/nginx": { repository: "localhost:5050/team/nginx", digest: undefined },
    "localhost:5050/nginx:1.27": { repository: "localhost:5050/nginx", tag: "1.27", digest: undefined },
    [`localhost:5050/nginx@${digest}`]: { repository: "localhost:5050/nginx", digest },
    [`ghcr.io/a/nginx:1@${digest}`]: { repository: "ghcr.io/a/nginx", tag: "1", digest },
  };
  for (const [image, reference] of Object.entries(references)) {
    it(`takes ${image} apart`, () => expect(parseImage(image)).to.deep.equal(reference));
  }

  describePodPolicy(noMutableImageTags, {
    container: ["image"],
    right: ["nginx:1.27", `nginx@${digest}`, `localhost:5050/nginx:latest@${digest}`],
    wrong: [undefined, "", "nginx", "nginx:latest", "localhost:5050/nginx", "localhost:5050/nginx:latest"],
  });
  describePodPolicy(noMutableImageTags, {
    container: ["image"],
    settings: { mutableTags: ["latest", "main"] },
    right: ["nginx:1.27"],
    wrong: ["nginx:main", "nginx:latest"],
  });
  describePodPolicy(applicationImageByDigest, {
    container: ["image"],
    right: [
      `localhost:5050/inventory@${digest}`,
      `inventory:1.0.0@${digest}`,
      "nginx:1.27",
      "inventory-agent:1",
    ],
    wrong: ["inventory", "inventory:1.0.0", "localhost:5050/team/inventory:1.0.0", "inventory@sha256:abc"],
  });
  describePodPolicy(applicationImageByDigest, {
    container: ["image"],
    settings: { repositories: ["^registry\\.example/"] },
    right: ["inventory:1.0.0", `registry.example/shop@${digest}`],
    wrong: ["registry.example/shop:1.0.0"],
  });

  describePodPolicy(noMutableImageTags, {
    pod: ["volumes", 0, "image", "reference"],
    right: ["models:1.27", `models@${digest}`],
    wrong: ["models", "models:latest"],
  });
  describePodPolicy(applicationImageByDigest, {
    pod: ["volumes", 0, "image", "reference"],
    right: [`inventory@${digest}`, "models:1.27"],
    wrong: ["inventory", "registry.example/team/inventory:1.0.0"],
  });

  describePodPolicy(imagesByDigest, {
    container: ["image"],
    settings: { required: true },
    right: [undefined, `nginx@${digest}`, `ghcr.io/a/nginx:1@${digest}`],
    wrong: ["nginx", "nginx:1.27", "nginx@sha256:abc"],
  });
  describePodPolicy(imagesByDigest, {
    container: ["image"],
    right: ["nginx:1.27"],
    wrong: [],
    ignoresUnknown: true,
  });
  describePodPolicy(allowedRegistries, {
    container: ["image"],
    settings: { registries: ["quay.io", "docker.io/library", "ghcr.io/technova/"] },
    right: [
      undefined,
      "quay.io/argoproj/argo-rollouts:v1",
      "postgres:15",
      "library/postgres:15",
      `docker.io/library/postgres@${digest}`,
      `ghcr.io/technova/inventory:1@${digest}`,
    ],
    wrong: [
      "",
      "quay.io:5000/argoproj/argo-rollouts",
      "quay.io.example/argo-rollouts",
      "evil/quay.io/argo-rollouts",
      "team/postgres",
      "localhost/postgres",
      "ghcr.io/technova-evil/inventory",
      "ghcr.io/other/inventory",
    ],
  });
  describePodPolicy(allowedRegistries, {
    container: ["image"],
    settings: { registries: ["localhost:5050", "docker.io/library/postgres"] },
    right: ["localhost:5050/inventory:1", "postgres", "postgres:15", `docker.io/library/postgres@${digest}`],
    wrong: ["localhost:5051/inventory:1", "postgres-exporter:1", "redis"],
  });
  describePodPolicy(allowedRegistries, {
    container: ["image"],
    right: ["anything.example/x"],
    wrong: [],
    ignoresUnknown: true,
  });
  describePodPolicy(allowedRegistries, {
    pod: ["volumes", 0, "image", "reference"],
    settings: { registries: ["quay.io", "registry.example"] },
    right: [undefined, "quay.io/a/b:1"],
    wrong: ["a/b:1"],
  });
  describePodPolicy(noUnpullableImages, {
    container: ["imagePullPolicy"],
    right: [undefined, "IfNotPresent", "Always"],
    wrong: ["Never", "Sometimes"],
  });

  for (const [image, full] of [
    ["nginx:1", "docker.io/library/nginx:1"],
    ["team/nginx", "docker.io/team/nginx"],
    ["localhost/nginx", "localhost/nginx"],
    ["registry:5000/nginx", "registry:5000/nginx"],
    ["ghcr.io/team/nginx", "ghcr.io/team/nginx"],
  ] as const) {
    it(`takes ${image} for ${full}`, () => expect(withRegistry(image)).to.equal(full));
  }

  it("leaves a missing image to the policy on tags", () => {
    const pod = changed(goodPod(), ["spec", "containers", 0, "image"], undefined);
    expect(outcome(applicationImageByDigest, podTypes.Pod, pod).violations).to.be.empty;
    expect(outcome(noMutableImageTags, podTypes.Pod, pod).violations).to.have.length(1);
  });
});
