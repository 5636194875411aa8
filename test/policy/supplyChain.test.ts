import { baseImageVersions, noSecretsInBuildArguments, verifiedSignatures } from "../../policy/supplyChain";
import { changed, goodPod, outcome, type Path, stackOutcome, unknown, written } from "../support/policy";
import { describeObjectPolicy } from "./fieldCases";
import { expect } from "chai";
import { judgeResource } from "../../policy/frame/evaluate";

const dockerImage = "docker:index/image:Image";
const builtImage = "docker-build:index:Image";
const sentinel = "correct-horse-battery";

const label = "policy.sigstore.dev/include";
const namespace = { metadata: { name: "inventory", labels: { [label]: "true" } } };
const imagePolicy = {
  spec: { images: [{ glob: "**" }], authorities: [{ keyless: { url: "https://fulcio.sigstore.dev" } }] },
};
const kyverno = {
  spec: {
    validationFailureAction: "Enforce",
    rules: [
      {
        match: { any: [{ resources: { kinds: ["Pod"], namespaces: ["inventory"] } }] },
        verifyImages: [{ imageReferences: ["*"], attestors: [{ count: 1 }] }],
      },
    ],
  },
};
const sigstoreType = "kubernetes:policy.sigstore.dev/v1beta1:ClusterImagePolicy";
const kyvernoType = "kubernetes:kyverno.io/v1:ClusterPolicy";

describe("policy/supplyChain", () => {
  describe(verifiedSignatures.name, () => {
    const judged = (place: object, type?: string, policy: object = {}, settings?: object) =>
      stackOutcome(
        verifiedSignatures,
        {
          namespace: ["kubernetes:core/v1:Namespace", place],
          ...(type === undefined ? {} : { policy: [type, policy] as const }),
        },
        settings,
      );
    const unlabelled = changed(namespace, ["metadata", "labels"], undefined);
    const undecided = (path: Path) => ({ policy: { violations: [], undecided: [written(path)] } });

    it("accepts a labelled namespace with a policy of Sigstore's", () => {
      expect(judged(namespace, sigstoreType, imagePolicy)).to.be.empty;
    });
    it("accepts a policy of Kyverno's, for the namespace or for all", () => {
      expect(judged(unlabelled, kyvernoType, kyverno)).to.be.empty;
      const everywhere = changed(
        kyverno,
        ["spec", "rules", 0, "match", "any", 0, "resources", "namespaces"],
        undefined,
      );
      expect(judged(unlabelled, kyvernoType, everywhere)).to.be.empty;
      const own = changed(kyverno, ["metadata", "namespace"], "inventory");
      expect(judged(unlabelled, "kubernetes:kyverno.io/v1:Policy", own)).to.be.empty;
    });
    it("asks nothing of other namespaces", () => {
      expect(judged(changed(unlabelled, ["metadata", "name"], "other"))).to.be.empty;
      expect(judged(unlabelled, undefined, {}, { namespaces: [] })).to.be.empty;
    });
    it("refuses a namespace that nothing looks after", () => {
      for (const place of [namespace, unlabelled]) {
        expect(judged(place)).to.deep.equal({ namespace: { violations: ["metadata.name"], undecided: [] } });
      }
    });
    it("refuses a namespace without the label", () => {
      for (const value of [undefined, "false"]) {
        const place = changed(namespace, ["metadata", "labels", label], value);
        expect(judged(place, sigstoreType, imagePolicy).namespace?.violations).to.deep.equal([
          `metadata.labels["${label}"]`,
        ]);
      }
    });
    for (const [what, path, value] of [
      ["has no authority", ["spec", "authorities"], undefined],
      ["has an authority that passes everything", ["spec", "authorities", 0], { static: { action: "pass" } }],
      ["only warns", ["spec", "mode"], "warn"],
    ] as const) {
      it(`refuses a policy of Sigstore's that ${what}`, () => {
        const found = judged(namespace, sigstoreType, changed(imagePolicy, path, value));
        expect(found.namespace?.violations).to.have.length(1);
      });
    }
    const rule = ["spec", "rules", 0];
    for (const [what, path, value] of [
      ["only audits", ["spec", "validationFailureAction"], "Audit"],
      ["only audits by default", ["spec", "validationFailureAction"], undefined],
      ["audits these images", [...rule, "verifyImages", 0, "failureAction"], "Audit"],
      ["verifies nothing", [...rule, "verifyImages"], undefined],
      ["knows no attestor", [...rule, "verifyImages", 0, "attestors"], []],
      ["lets unsigned images in", [...rule, "verifyImages", 0, "required"], false],
      ["is for another namespace", [...rule, "match", "any", 0, "resources", "namespaces"], ["other"]],
      ["has exceptions", [...rule, "exclude"], { any: [{}] }],
    ] as const) {
      it(`refuses a policy of Kyverno's that ${what}`, () => {
        const found = judged(unlabelled, kyvernoType, changed(kyverno, path, value));
        expect(found).to.deep.equal({ namespace: { violations: ["metadata.name"], undecided: [] } });
      });
    }
    describe("of the application's images", () => {
      const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
      const own = `ghcr.io/technova/inventory@${digest}`;
      const verified = (type: string, policy: object, ...images: unknown[]) => {
        const pods = images.map((image, index) => {
          const pod = changed(goodPod(), ["spec", "containers", 0, "image"], image);
          return [`pod${index}`, ["kubernetes:core/v1:Pod", pod]] as const;
        });
        const place = type === sigstoreType ? namespace : unlabelled;
        return stackOutcome(verifiedSignatures, {
          namespace: ["kubernetes:core/v1:Namespace", place],
          policy: [type, policy],
          ...Object.fromEntries(pods),
        });
      };
      const glob = (value: unknown) => changed(imagePolicy, ["spec", "images", 0, "glob"], value);
      const references = (...values: unknown[]) =>
        changed(kyverno, ["spec", "rules", 0, "verifyImages", 0, "imageReferences"], values);
      const violation = { namespace: { violations: ["metadata.name"], undecided: [] } };

      it("accepts globs of Sigstore's that fit them, whatever else the namespace runs", () => {
        for (const value of ["**", "ghcr.io/technova/*", "ghcr.io/technova/**", "ghcr.io/**", own]) {
          expect(verified(sigstoreType, glob(value), own, "docker.io/library/postgres:15"), value).to.be
            .empty;
        }
        expect(verified(sigstoreType, glob("index.docker.io/library/*"), "inventory:1.0.0")).to.be.empty;
      });
      it("accepts references of Kyverno's that fit them", () => {
        for (const values of [["*"], ["busybox:*", "ghcr.io/technova/*"], ["ghcr.io/technova/inventor?@*"]]) {
          expect(verified(kyvernoType, references(...values), own), values.join()).to.be.empty;
        }
      });
      it("refuses globs that do not", () => {
        // A single asterisk is about the official images of Docker's hub.
        for (const value of ["busybox", "*", "ghcr.io/*", "ghcr.io/technova/inventory", undefined, ""]) {
          expect(verified(sigstoreType, glob(value), own), value).to.deep.equal(violation);
        }
        const none = changed(imagePolicy, ["spec", "images"], []);
        expect(verified(sigstoreType, none, own)).to.deep.equal(violation);
      });
      it("refuses references that do not, and those that skip them", () => {
        for (const values of [["busybox:*"], ["ghcr.io/technova/inventory"], []]) {
          expect(verified(kyvernoType, references(...values), own), values.join()).to.deep.equal(violation);
        }
        const check = ["spec", "rules", 0, "verifyImages", 0];
        const skipping = changed(kyverno, [...check, "skipImageReferences"], ["ghcr.io/technova/*"]);
        expect(verified(kyvernoType, skipping, own)).to.deep.equal(violation);
        const other = changed(kyverno, [...check, "skipImageReferences"], ["*/postgres:*"]);
        expect(verified(kyvernoType, other, own)).to.be.empty;
      });
      it("wants all of them verified, by whichever policies", () => {
        const second = `registry.example/team/inventory@${digest}`;
        expect(verified(sigstoreType, glob("ghcr.io/**"), own, second)).to.deep.equal(violation);
        const both = changed(imagePolicy, ["spec", "images", 1], { glob: "registry.example/**" });
        expect(verified(sigstoreType, both, own, second)).to.be.empty;
      });
      it("goes by what the images are called where none is known", () => {
        expect(verified(sigstoreType, glob("busybox"))).to.deep.equal(violation);
        expect(verified(kyvernoType, references("docker.io/library/busybox:1.36"))).to.deep.equal(violation);
        for (const value of ["ghcr.io/technova/inventory:1.0.0", "ghcr.io/technova/*"]) {
          expect(verified(sigstoreType, glob(value)), value).to.be.empty;
        }
      });
      it("says so when an image or a glob is unknown, unless every image fits", () => {
        expect(verified(sigstoreType, glob("**"), unknown)).to.be.empty;
        expect(Object.values(verified(sigstoreType, glob("ghcr.io/**"), unknown))).to.deep.equal([
          { violations: [], undecided: ["spec.containers[0].image"] },
        ]);
        expect(verified(sigstoreType, glob(unknown), own)).to.deep.equal(
          undecided(["spec", "images", 0, "glob"]),
        );
      });
    });
    it("says so when something of the policy is unknown", () => {
      for (const path of [
        ["spec", "authorities"],
        ["spec", "mode"],
        ["spec", "authorities", 0],
      ]) {
        expect(judged(namespace, sigstoreType, changed(imagePolicy, path, unknown))).to.deep.equal(
          undecided(path),
        );
      }
      for (const path of [
        ["spec", "rules"],
        [...rule, "verifyImages", 0, "attestors"],
      ]) {
        expect(judged(unlabelled, kyvernoType, changed(kyverno, path, unknown))).to.deep.equal(
          undecided(path),
        );
      }
    });
    it("says so when the namespace's name or label is unknown", () => {
      expect(judged(changed(namespace, ["metadata", "name"], unknown))).to.deep.equal({
        namespace: { violations: [], undecided: ["metadata.name"] },
      });
      const unclear = changed(namespace, ["metadata", "labels", label], unknown);
      expect(Object.values(judged(unclear, sigstoreType, imagePolicy))).to.deep.equal([
        { violations: [], undecided: [`metadata.labels["${label}"]`] },
      ]);
    });
  });

  for (const [type, args] of [
    [dockerImage, ["build", "args"]],
    [builtImage, ["buildArgs"]],
  ] as const) {
    describeObjectPolicy(noSecretsInBuildArguments, {
      type,
      good: {},
      path: [...args, "INDEX"],
      right: ["https://pypi.example/simple", "1.0.0", undefined],
      wrong: [`https://ci:${sentinel}@pypi.example/simple`, `ghp_${"a1B2".repeat(9)}`],
    });
    describeObjectPolicy(baseImageVersions, {
      type,
      good: {},
      path: [...args, "BASE_IMAGE"],
      right: [
        "localhost:5050/library/python:3.11-slim",
        `python@sha256:${"0123456789abcdef".repeat(4)}`,
        undefined,
      ],
      wrong: ["python", "python:latest", "localhost:5050/library/python"],
    });
    it(`says so when all arguments of ${type} are unknown`, () => {
      for (const policy of [noSecretsInBuildArguments, baseImageVersions]) {
        const found = outcome<never>(policy as never, type, changed({}, args, unknown), {});
        expect(found).to.deep.equal({ violations: [], undecided: [written(args)] });
      }
    });
  }
  it("goes by an argument's name too, without showing its value", () => {
    const props = { build: { args: { NPM_TOKEN: sentinel } } };
    const [finding] = judgeResource(noSecretsInBuildArguments, {
      type: dockerImage,
      urn: "urn",
      props,
    }).violations;
    expect(finding?.found).to.be.a("string").that.does.not.contain(sentinel);
  });
  it("takes another kind of that name for what it is", () => {
    const props = { build: { args: { NPM_TOKEN: sentinel, BASE_IMAGE: "python" } } };
    for (const policy of [noSecretsInBuildArguments, baseImageVersions]) {
      expect(outcome<never>(policy as never, "kubernetes:kpack.io/v1alpha2:Image", props).violations).to.be
        .empty;
    }
  });
});
