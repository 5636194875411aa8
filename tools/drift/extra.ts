import { keyLabel } from "../../components/addons/sealedSecrets/names";
import { kindOf, list, nameOf, namespaceOf, text, type KubeObject } from "../plugins/kubernetes/object";
import { allWriters } from "./managedFields";
import { findingOf, type Finding } from "./finding";
import type { StackObject } from "./state";
import { isController, isPulumi, managingTools } from "./writers";

/** Kinds of which the cluster makes the objects itself, by their plural name. */
export const clusterMade = new Set([
  "controllerrevisions",
  "endpoints",
  "endpointslices",
  "events",
  "leases",
  "podmetrics",
]);

/** Made in every namespace by the cluster. */
const everywhere = new Set(["ConfigMap kube-root-ca.crt", "ServiceAccount default"]);

/** Objects in the stack's namespaces that it does not have, and that follow from nothing else. */
export function findExtra(found: readonly KubeObject[], objects: readonly StackObject[]): Finding[] {
  const known = new Set(objects.map(({ wanted }) => keyOf(wanted)));
  const claims = objects.flatMap(({ wanted }) => claimsOf(wanted));
  return found
    .filter((object) => !known.has(keyOf(object)) && !followsFromOthers(object, claims))
    .map((object) => {
      const [writer] = allWriters(object).filter((each) => !isController(each));
      return findingOf(object, { change: "extra", what: "is not in the stack", writer });
    });
}

/** Whatever the API version: an object is served in several. */
function keyOf(object: KubeObject): string {
  const [group = ""] = text(object, "apiVersion").split(/\/?v\d\w*$/);
  return [group, kindOf(object), namespaceOf(object), nameOf(object)].join(" ");
}

function followsFromOthers(object: KubeObject, claims: readonly RegExp[]): boolean {
  if (list(object, "metadata", "ownerReferences").length > 0) return true;
  if (everywhere.has(`${kindOf(object)} ${nameOf(object)}`)) return true;
  if (managingTools.has(text(object, "metadata", "labels", "app.kubernetes.io/managed-by"))) return true;
  // Made by a controller or put back by a person; without them nothing that is sealed could be read again.
  if (kindOf(object) === "Secret" && text(object, "metadata", "labels", keyLabel) !== "") return true;
  const place = `${namespaceOf(object)}/${nameOf(object)}`;
  if (kindOf(object) === "PersistentVolumeClaim" && claims.some((pattern) => pattern.test(place)))
    return true;
  const writers = allWriters(object);
  // Another version of the application leaves its configuration behind on purpose; Pulumi made it, not a
  // hand.
  return writers.length > 0 && writers.every((writer) => isController(writer) || isPulumi(writer));
}

/**
 * The volumes of a StatefulSet stay when it goes, so that nobody owns them; their names follow from its own.
 */
function claimsOf(object: KubeObject): RegExp[] {
  if (kindOf(object) !== "StatefulSet") return [];
  const literal = (part: string) => part.replace(/[.\\]/g, "\\$&");
  return list(object, "spec", "volumeClaimTemplates").map((template) => {
    const name = `${nameOf(template)}-${nameOf(object)}`;
    return new RegExp(`^${literal(`${namespaceOf(object)}/${name}`)}-\\d+$`);
  });
}
