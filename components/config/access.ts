import { z } from "zod";
import { listOf, section } from "./field";
import { text } from "./values";

/**
 * A group of people. Kubernetes' own groups are none: they have everybody in them, or rights that cannot be taken away.
 */
const group = () =>
  text(
    "a group's name as the cluster's identity provider has it, none of Kubernetes' own, which start with \"system:\"",
    /^(?!system:)\S([^\n\r\t]*\S)?$/i,
  );

const groups = () => listOf("a list of groups", group()).default([]);

const roles = ["viewers", "operators", "admins"] as const;

/** `technova:cluster.access`: which groups of people have which role in the platform's namespaces. */
export const accessSchema = section({
  /** They read everything but Secrets. */
  viewers: groups(),
  /** They also steer releases, scale, and remove Pods. */
  operators: groups(),
  /** They also change everything but rights, Secrets among it, and open sessions in Pods. */
  admins: groups(),
}).superRefine((access, context) => {
  const seen = new Map<string, string>();
  for (const role of roles) {
    access[role].forEach((name, index) => {
      const other = seen.get(name);
      if (other === undefined) seen.set(name, role);
      else {
        const message = `each group once; this one is among the ${other} already, and each role has what the one before it has`;
        context.addIssue({ code: "custom", path: [role, index], message });
      }
    });
  }
});

export type AccessSettings = z.infer<typeof accessSchema>;
