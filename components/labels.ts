/** What a workload is, in the vocabulary that Kubernetes recommends. */
export interface Identity {
  /** The application, such as `inventory`. */
  readonly name: string;
  /** Its part, such as `api` or `database`. */
  readonly component: string;
}

/** The labels that select a workload's Pods. They never change: a Deployment's selector cannot. */
export function selectorLabels({ name, component }: Identity): Record<string, string> {
  return { "app.kubernetes.io/name": name, "app.kubernetes.io/component": component };
}

/** All labels of an object; the version only where it is the object's own. */
export function labels(identity: Identity, version?: string): Record<string, string> {
  return {
    ...selectorLabels(identity),
    ...platformLabels,
    ...(version === undefined ? {} : { "app.kubernetes.io/version": version }),
  };
}

/** Labels of objects that belong to the platform as a whole. */
export const platformLabels: Readonly<Record<string, string>> = {
  "app.kubernetes.io/part-of": "technova",
  "app.kubernetes.io/managed-by": "pulumi",
  /** Who is asked about it. */
  "technova.io/owner": "team-platform",
};
