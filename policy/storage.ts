import { type Judge, type ObjectPolicy, type Policy, shown } from "./frame/policy";
import { absent, absentOr } from "./frame/tests";
import { parseQuantity, quantitySetting } from "./frame/quantity";
import type { Field } from "./frame/field";
import type { Target } from "./frame/objects";

const area = "storage";
const claims = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/";

const kinds = ["PersistentVolumeClaim", "StatefulSet"];

/** The claims of an object: itself, or the templates that a StatefulSet makes one for each pod from. */
function claimsOf({ kind, root }: Target, judge: Judge): readonly Field[] {
  return kind === "StatefulSet" ? judge.items(root.at("spec", "volumeClaimTemplates")) : [root];
}

export const noHostPathVolumes: ObjectPolicy = {
  name: "no-host-path-volumes",
  area,
  severity: "critical",
  description: "No PersistentVolume is a folder or a disk of a node.",
  why: "A claim on it brings the node's files into a pod, past Pod Security; and the data is gone with the node.",
  remedy: ["Let a StorageClass make the volume: create a PersistentVolumeClaim only."],
  link: "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
  kinds: ["PersistentVolume"],
  checkObject({ root }, judge) {
    judge.expect(root.at("spec", "hostPath"), absent);
    judge.expect(root.at("spec", "local"), absent);
  },
};

export const noSharedVolumes: ObjectPolicy<{ sharedAllowed: boolean }> = {
  name: "no-shared-volumes",
  area,
  severity: "medium",
  description: "No volume is written by several nodes at the same time.",
  why: "Programs that are not made for it damage each other's files, and who takes over one pod has all pods' data.",
  remedy: [
    "Use ReadWriteOnce or, for one pod only, ReadWriteOncePod.",
    "For files that several pods write, set sharedAllowed in policy/config/<stack>.json, or use an object store.",
  ],
  link: `${claims}#access-modes`,
  parameters: {
    sharedAllowed: {
      type: "boolean",
      description: "Whether the stack may have volumes with access mode ReadWriteMany.",
      default: false,
    },
  },
  kinds,
  checkObject(object, judge, { sharedAllowed }) {
    if (sharedAllowed) return;
    const accepts = (value: unknown) => value !== "ReadWriteMany";
    for (const claim of claimsOf(object, judge)) {
      for (const mode of judge.items(claim.at("spec", "accessModes"))) {
        judge.expect(mode, { accepts, wanted: "ReadWriteOnce, ReadWriteOncePod or ReadOnlyMany" });
      }
    }
  },
};

export const claimsAreKept: ObjectPolicy = {
  name: "claims-are-kept",
  area,
  severity: "high",
  description: "No StatefulSet takes its data with it when it is deleted or made smaller.",
  why: "A replacement, or a typing error in replicas, would delete a database.",
  remedy: [
    "Remove persistentVolumeClaimRetentionPolicy, or set whenDeleted and whenScaled to Retain.",
    "Delete claims that nobody needs by hand.",
  ],
  link: "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention",
  kinds: ["StatefulSet"],
  checkObject({ root }, judge) {
    for (const key of ["whenDeleted", "whenScaled"]) {
      judge.expect(root.at("spec", "persistentVolumeClaimRetentionPolicy", key), absentOr("Retain"));
    }
  },
};

export const claimsNameTheirBackup: ObjectPolicy<{ ways: readonly string[] }> = {
  name: "claims-name-their-backup",
  area,
  severity: "medium",
  description: "Every claim says how its data comes back after a loss.",
  why: "Nobody notices that a volume has no backup until it is needed.",
  remedy: [
    "Set the annotation technova.io/backup on the claim, or on the StatefulSet that makes it, to one of the ways.",
    "Data that is made again from elsewhere is rebuilt.",
  ],
  link: "https://kubernetes.io/docs/concepts/storage/volume-snapshots/",
  parameters: {
    ways: {
      type: "array",
      items: { type: "string" },
      description: "Ways by which data comes back.",
      default: ["snapshot-before-migration", "scheduled-backups", "rebuilt", "velero"],
    },
  },
  kinds,
  checkObject(object, judge, { ways }) {
    const accepts = (value: unknown) => (ways as readonly unknown[]).includes(value);
    for (const claim of claimsOf(object, judge)) {
      // A StatefulSet can say it of all its claims: their templates cannot be changed any more.
      const backup = annotation(claim).or(annotation(object.root));
      judge.expect(backup, { accepts, wanted: ways.join(" or ") });
    }
  },
};

const annotation = (of: Field) => of.at("metadata", "annotations", "technova.io/backup");

export const claimsHaveASize: ObjectPolicy<{ maximum: string }> = {
  name: "claims-have-a-size",
  area,
  severity: "medium",
  description: "Every claim asks for storage, and for no more than a volume may have.",
  why: "Storage costs money from the first byte that is asked for, and a volume can grow but never shrink.",
  remedy: [
    "Set spec.resources.requests.storage of the claim.",
    "If it needs more than the maximum, raise that in policy/config/<stack>.json.",
  ],
  link: `${claims}#resources`,
  parameters: {
    maximum: {
      type: "string",
      description: "The most that a volume may have, as a quantity.",
      default: "1Ti",
    },
  },
  kinds,
  checkObject(object, judge, { maximum }) {
    const most = quantitySetting("maximum", maximum);
    for (const claim of claimsOf(object, judge)) {
      const size = claim.at("spec", "resources", "requests", "storage");
      if (!judge.knows(size)) continue;
      const quantity = parseQuantity(size.value) ?? 0n;
      if (quantity <= 0n || quantity > most) {
        judge.report(size, `is ${shown(size.value)}, must be a quantity of at most ${maximum}`);
      }
    }
  },
};

export const storagePolicies: readonly Policy[] = [
  noHostPathVolumes,
  noSharedVolumes,
  claimsAreKept,
  claimsNameTheirBackup,
  claimsHaveASize,
];
