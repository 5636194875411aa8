import { sealedSecretsSchema } from "../../components/config/sealedSecrets";
import { optional } from "../../components/config/field";
import { readStackSettings } from "../engine/project";
import { UserError } from "../engine/report";

const settingsSchema = optional(sealedSecretsSchema);

/**
 * The namespaces that a stack's controller makes Secrets in.
 * @throws UserError when the stack has none, or its settings are wrong
 */
export function sealingNamespaces(root: string, stack: string): readonly string[] {
  const parsed = settingsSchema.safeParse(readStackSettings(root, stack).config?.["technova:sealedSecrets"]);
  const file = `Pulumi.${stack}.yaml`;
  if (!parsed.success) {
    throw new UserError(
      `technova:sealedSecrets of ${file} is wrong: npm run preview -- --stack ${stack} says what.`,
    );
  }
  if (parsed.data === undefined) {
    throw new UserError(
      `The stack ${stack} has no controller for sealed Secrets. Write "technova:sealedSecrets: {}" into ${file}, ` +
        "then npm run up.",
    );
  }
  return parsed.data.namespaces;
}

/** @throws UserError naming the namespaces that there are */
export function requireNamespace(namespaces: readonly string[], namespace: string, stack: string): void {
  if (namespaces.includes(namespace)) return;
  throw new UserError(
    `technova:sealedSecrets.namespaces of Pulumi.${stack}.yaml has ${namespaces.join(", ")}, and not ${namespace}.`,
  );
}
