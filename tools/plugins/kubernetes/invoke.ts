import { parseAllDocuments } from "yaml";
import type { InvokeRequest, InvokeResult } from "../rpc/provider";
import { containsUnknown, isPropertyMap, withoutSecrets, type PropertyMap } from "../rpc/values";
import { apiVersionOf, kindOf, namespaceOf, withField } from "./object";
import { isNamespaced, type Session } from "./session";

export async function invoke(session: Session, { token, args }: InvokeRequest): Promise<InvokeResult> {
  if (token !== "kubernetes:yaml:decode") {
    throw new Error(
      `${token} needs the official plugin: run \`pulumi plugin install resource kubernetes v4.32.0\``,
    );
  }
  const { text, defaultNamespace } = withoutSecrets(args);
  if (containsUnknown(text)) return { result: {} };
  if (typeof text !== "string") return { failures: [{ property: "text", reason: "has to be YAML text" }] };
  const namespace = typeof defaultNamespace === "string" ? defaultNamespace : "";
  return { result: { result: await decodeObjects(session, text, namespace) } };
}

/** The objects in a text of YAML documents; documents that are no objects are left out. */
async function decodeObjects(session: Session, text: string, namespace: string): Promise<PropertyMap[]> {
  const objects = decodeYaml(text);
  if (!namespace) return objects;
  return Promise.all(
    objects.map(async (object) =>
      !namespaceOf(object) && (await isNamespaced(session, object))
        ? withField(object, ["metadata", "namespace"], namespace)
        : object,
    ),
  );
}

export function decodeYaml(text: string): PropertyMap[] {
  const documents = parseAllDocuments(text, {
    // Kubernetes reads YAML 1.1: 0644 is octal, `yes` is true. Times and base-60 numbers it reads as text.
    version: "1.1",
    merge: true,
    customTags: (tags) => tags.filter((tag) => typeof tag === "string" || !isTime(tag)),
  });
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`cannot read the YAML: ${error.message}`);
    const value: unknown = JSON.parse(JSON.stringify(document.toJS() ?? null));
    return isPropertyMap(value as PropertyMap) &&
      kindOf(value as PropertyMap) &&
      apiVersionOf(value as PropertyMap)
      ? [value as PropertyMap]
      : [];
  });
}

function isTime(tag: { tag: string; format?: string }): boolean {
  return tag.tag.endsWith(":timestamp") || tag.format === "TIME";
}
