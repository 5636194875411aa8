import { changed, outcome, type Path, podTypes, unknown, written } from "../support/policy";
import {
  claimsAreKept,
  claimsHaveASize,
  claimsNameTheirBackup,
  noHostPathVolumes,
  noSharedVolumes,
} from "../../policy/storage";
import { expect } from "chai";
import type { Policy } from "../../policy/frame/policy";

const claim = {
  metadata: { name: "data", annotations: { "technova.io/backup": "rebuilt" } },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Gi" } } },
};

interface Cases {
  /** From the claim. */
  readonly path: Path;
  readonly right: readonly unknown[];
  readonly wrong: readonly unknown[];
  readonly settings?: object;
}

/** The field of a claim, and of a StatefulSet's template of one. */
function describeClaimPolicy<S>(policy: Policy<S>, { path, right, wrong, settings = {} }: Cases): void {
  for (const [type, prefix, wrap] of [
    ["kubernetes:core/v1:PersistentVolumeClaim", [], (given: object) => given],
    [
      podTypes.StatefulSet,
      ["spec", "volumeClaimTemplates", 1],
      (given: object) => ({ spec: { volumeClaimTemplates: [claim, given] } }),
    ],
  ] as readonly (readonly [string, Path, (given: object) => object])[]) {
    const at = written([...prefix, ...path]);
    const judged = (value: unknown) => outcome(policy, type, wrap(changed(claim, path, value)), settings);

    describe(`${policy.name}: ${at}`, () => {
      for (const value of right) {
        it(`accepts ${JSON.stringify(value) ?? "that it is missing"}`, () => {
          expect(judged(value)).to.deep.equal({ violations: [], undecided: [] });
        });
      }
      for (const value of wrong) {
        it(`refuses ${JSON.stringify(value) ?? "that it is missing"}`, () => {
          expect(judged(value)).to.deep.equal({ violations: [at], undecided: [] });
        });
      }
      it("says so when it is unknown", () => {
        expect(judged(unknown)).to.deep.equal({ violations: [], undecided: [at] });
      });
    });
  }
}

describe("policy/storage", () => {
  describe(noHostPathVolumes.name, () => {
    const judged = (key: string, value: unknown) =>
      outcome(noHostPathVolumes, "kubernetes:core/v1:PersistentVolume", { spec: { [key]: value } });

    it("accepts volumes of a driver", () => expect(judged("csi", { driver: "ebs" }).violations).to.be.empty);
    for (const key of ["hostPath", "local"]) {
      it(`refuses ${key}`, () => {
        for (const value of [{}, { path: "/" }]) {
          expect(judged(key, value).violations).to.deep.equal([`spec.${key}`]);
        }
      });
      it(`says so when ${key} is unknown`, () => {
        expect(judged(key, unknown)).to.deep.equal({ violations: [], undecided: [`spec.${key}`] });
      });
    }
  });

  describeClaimPolicy(noSharedVolumes, {
    path: ["spec", "accessModes", 0],
    right: [undefined, "ReadWriteOnce", "ReadWriteOncePod", "ReadOnlyMany"],
    wrong: ["ReadWriteMany"],
  });
  it("accepts shared volumes where the stack does", () => {
    const shared = changed(claim, ["spec", "accessModes"], ["ReadWriteMany"]);
    const found = outcome(noSharedVolumes, "kubernetes:core/v1:PersistentVolumeClaim", shared, {
      sharedAllowed: true,
    });
    expect(found.violations).to.be.empty;
  });
  describeClaimPolicy(claimsNameTheirBackup, {
    path: ["metadata", "annotations", "technova.io/backup"],
    right: ["snapshot-before-migration", "rebuilt", "velero"],
    wrong: [undefined, "", "some day"],
  });
  describeClaimPolicy(claimsNameTheirBackup, {
    path: ["metadata", "annotations", "technova.io/backup"],
    settings: { ways: ["tape", "rebuilt"] },
    right: ["tape"],
    wrong: ["velero"],
  });
  it("lets a StatefulSet say for all of its claims how their data comes back", () => {
    const bare = changed(claim, ["metadata", "annotations"], undefined);
    const judged = (backup: unknown) =>
      outcome(
        claimsNameTheirBackup,
        podTypes.StatefulSet,
        changed(
          { spec: { volumeClaimTemplates: [bare] } },
          ["metadata", "annotations", "technova.io/backup"],
          backup,
        ),
      );
    expect(judged("rebuilt")).to.deep.equal({ violations: [], undecided: [] });
    expect(judged("some day").violations).to.deep.equal(['metadata.annotations["technova.io/backup"]']);
    expect(judged(unknown).undecided).to.deep.equal(['metadata.annotations["technova.io/backup"]']);
  });
  describeClaimPolicy(claimsHaveASize, {
    path: ["spec", "resources", "requests", "storage"],
    right: ["1Ti", "1024Gi", "1", 1073741824],
    wrong: [undefined, "0", "1025Gi", "2Ti", "large"],
  });
  describeClaimPolicy(claimsHaveASize, {
    path: ["spec", "resources", "requests", "storage"],
    settings: { maximum: "20Gi" },
    right: ["20Gi"],
    wrong: ["21Gi"],
  });

  describe(claimsAreKept.name, () => {
    for (const key of ["whenDeleted", "whenScaled"]) {
      const path = ["spec", "persistentVolumeClaimRetentionPolicy", key];
      const judged = (value: unknown) =>
        outcome(claimsAreKept, podTypes.StatefulSet, changed({}, path, value));

      it(`accepts ${key} Retain, or none`, () => {
        for (const value of [undefined, "Retain"]) expect(judged(value).violations).to.be.empty;
      });
      it(`refuses ${key} Delete`, () => expect(judged("Delete").violations).to.deep.equal([path.join(".")]));
      it(`says so when ${key} is unknown`, () => {
        expect(judged(unknown)).to.deep.equal({ violations: [], undecided: [path.join(".")] });
      });
    }
  });

  it("says so when the templates of a StatefulSet are unknown", () => {
    for (const policy of [noSharedVolumes, claimsNameTheirBackup, claimsHaveASize] as Policy[]) {
      const found = outcome(policy, podTypes.StatefulSet, { spec: { volumeClaimTemplates: unknown } });
      expect(found, policy.name).to.deep.equal({
        violations: [],
        undecided: ["spec.volumeClaimTemplates"],
      });
    }
  });
});
