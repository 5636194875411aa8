import { applicationImageByDigest, noMutableImageTags, parseImage } from "../../policy/images";
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

  it("leaves a missing image to the policy on tags", () => {
    const pod = changed(goodPod(), ["spec", "containers", 0, "image"], undefined);
    expect(outcome(applicationImageByDigest, podTypes.Pod, pod).violations).to.be.empty;
    expect(outcome(noMutableImageTags, podTypes.Pod, pod).violations).to.have.length(1);
  });
});
