import * as pulumi from "@pulumi/pulumi";
import { typesThatStay } from "../policy/stack";

/**
 * Protects what cannot be made again: an update that would delete or replace it fails, and so does `destroy`, until
 * somebody has decided otherwise with `pulumi state unprotect`.
 */
export const protectWhatStays: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  if (!typesThatStay.includes(type)) return undefined;
  const isStatefulSet = type === "kubernetes:apps/v1:StatefulSet";
  const { spec } = props as { spec?: { volumeClaimTemplates?: readonly unknown[] } };
  if (isStatefulSet && (spec?.volumeClaimTemplates ?? []).length === 0) return undefined;
  return { props, opts: pulumi.mergeOptions(opts, { protect: true }) };
};
