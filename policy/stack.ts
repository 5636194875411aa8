import { isJudged, type Resource, type Target } from "./frame/objects";
import { readStateBefore, type StateBefore } from "./frame/state";
import type { ObjectPolicy, Policy, StackPolicy } from "./frame/policy";
import { Field } from "./frame/field";

export const noHiddenObjects: ObjectPolicy = {
  name: "no-hidden-objects",
  area: "stack",
  severity: "high",
  description: "Every Kubernetes object is a resource of its own that policies see.",
  why: "A Helm release is one resource: the objects it creates are made behind the back of every policy.",
  remedy: ["Use helm.v4.Chart, which renders the chart into resources, instead of helm.v3.Release."],
  link: "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/choosing-the-right-helm-resource-for-your-use-case/",
  kinds: ["Release"],
  checkObject({ group, root }, judge) {
    if (group === "helm.sh") judge.report(root, "hides its objects");
  },
};

/** Types of resources that hold what cannot be made again. */
export const typesThatStay = [
  "github:index/repository:Repository",
  "kubernetes:core/v1:PersistentVolumeClaim",
  "kubernetes:apps/v1:StatefulSet",
];

export const whatMustStayIsProtected: ObjectPolicy<{ types: readonly string[]; required: boolean }> = {
  name: "what-must-stay-is-protected",
  area: "stack",
  severity: "high",
  description: "What cannot be made again is protected from deletion.",
  why: "A setting that is changed by mistake can replace a resource, and its data is gone with the old one.",
  remedy: [
    "Give the resource the option protect: true.",
    "If it is to go on purpose: pulumi state unprotect <urn>, once, by decision.",
  ],
  link: "https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
  parameters: {
    types: {
      type: "array",
      items: { type: "string" },
      description:
        "Types of resources of Kubernetes and GitHub; a StatefulSet counts if it has volumes of its own.",
      default: typesThatStay,
    },
    required: {
      type: "boolean",
      description: "Whether the stack has anything that must stay.",
      default: false,
    },
  },
  checkObject({ kind, root, resource }, judge, { types, required }) {
    if (!required || !types.includes(resource.type) || resource.protect === true) return;
    const volumes = root.at("spec", "volumeClaimTemplates");
    if (kind === "StatefulSet" && (!judge.knows(volumes) || volumes.items().length === 0)) return;
    judge.report(root, "is not protected");
  },
};

/** @param before what the stack had before this update */
export function maximumDeletesFrom(before: StateBefore): StackPolicy<{ maximum: number }> {
  return {
    name: "maximum-deletes",
    area: "stack",
    onlyInUpdates: true,
    severity: "high",
    description: "An update deletes only a few objects at a time.",
    why: "A wrong setting or a lost list can take most of a platform away in one go, and looks like any other update.",
    remedy: [
      "Read in the preview what would be deleted; if that is not meant, correct the settings.",
      "If it is meant, raise maximum in policy/config/<stack>.json, and take it back afterwards.",
    ],
    link: "https://www.pulumi.com/docs/iac/concepts/resources/names/#urns",
    parameters: {
      maximum: {
        type: "integer",
        description: "How many objects of Kubernetes, GitHub and Docker an update may delete.",
        minimum: 0,
        default: 10,
      },
    },
    checkStack(objects, judgeOf, { maximum }) {
      if (!before.known) {
        judgeOf(wholeStack(objects[0]?.resource.urn)).cannotDecide(before.because);
        return;
      }
      const kept = new Set(objects.flatMap(({ resource: { urn, aliases = [] } }) => [urn, ...aliases]));
      const deleted = before.resources.filter(({ urn, type }) => isJudged(type) && !kept.has(urn));
      if (deleted.length <= maximum) return;
      const names = deleted.slice(0, 5).map(({ urn }) => urn.split("::").slice(2).join(" "));
      const more = deleted.length > names.length ? `, and ${deleted.length - names.length} more` : "";
      const stack = wholeStack(deleted[0]?.urn);
      judgeOf(stack).report(
        stack.root.at("resources"),
        `would lose ${deleted.length}, may lose at most ${maximum}: ${names.join(", ")}${more}`,
      );
    },
  };
}

/** The stack as something to report on, since a stack that loses everything has no other resource. */
function wholeStack(urn = ""): Target {
  const [, stack = "", project = ""] = /^urn:pulumi:([^:]*)::([^:]*)::/.exec(urn) ?? [];
  const type = "pulumi:pulumi:Stack";
  const resource: Resource = {
    type,
    urn: `urn:pulumi:${stack}::${project}::${type}::${project}-${stack}`,
    props: {},
  };
  return { kind: "Stack", group: "pulumi", root: Field.root({}), resource };
}

export const maximumDeletes = maximumDeletesFrom(readStateBefore(process.env));

export const stackPolicies: readonly Policy[] = [noHiddenObjects, whatMustStayIsProtected, maximumDeletes];
