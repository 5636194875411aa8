import { matching, oneOf } from "./frame/tests";
import type { ObjectPolicy, PodPolicy, Policy, StackPolicy } from "./frame/policy";
import { podKinds, podsOf } from "./frame/workloads";
import { ofKind } from "./frame/matching";
import type { Target } from "./frame/objects";

const area = "observability";

export const ownershipLabels: ObjectPolicy<{ labels: readonly string[]; ownerLabel: string }> = {
  name: "ownership-labels",
  area,
  severity: "low",
  description: "What runs or serves says what it is, what it belongs to and who owns it.",
  why: "In an incident somebody has to be found, and metrics, costs and alerts are told apart by these labels.",
  remedy: [
    "Set the missing label in metadata.labels of the object.",
    "The owner is the team that is called when it fails.",
  ],
  link: "https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/",
  parameters: {
    labels: {
      type: "array",
      items: { type: "string" },
      description: "Labels that are wanted.",
      default: ["app.kubernetes.io/name", "app.kubernetes.io/part-of"],
    },
    ownerLabel: {
      type: "string",
      description: "The label that names the owner; nobody has to be named if this is empty.",
      default: "technova.io/owner",
    },
  },
  kinds: [...podKinds, "Service"],
  checkObject({ group, kind, root }, judge, { labels, ownerLabel }) {
    if (kind === "Service" && group !== "core") return;
    for (const label of ownerLabel === "" ? labels : [...labels, ownerLabel]) {
      judge.expect(root.at("metadata", "labels", label), matching(".", "set"));
    }
  },
};

export const metricsAreScraped: PodPolicy = {
  name: "metrics-are-scraped",
  area,
  severity: "low",
  description: "Every pod that keeps running is measured, or says that it is not.",
  why: "What is not measured fails unseen: no alert and no release's analysis knows of it.",
  remedy: [
    'Annotate the pod with prometheus.io/scrape: "true" and prometheus.io/port.',
    'If it has no metrics, or is read by other means, annotate it with prometheus.io/scrape: "false".',
  ],
  link: "https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config",
  checkPod({ metadata, runsForever }, judge) {
    if (!runsForever) return;
    const annotations = metadata.at("annotations");
    const scrape = annotations.at("prometheus.io/scrape");
    judge.expect(scrape, oneOf("true", "false"));
    if (scrape.value === "true") {
      judge.expect(annotations.at("prometheus.io/port"), matching("^[0-9]+$", "the port of its metrics"));
    }
  },
};

/** A rule with `alert`, in YAML or in JSON. */
const alertingRule = /(^|[\s{,-])"?alert"?\s*:\s*["']?\w/m;

export const alertsExist: StackPolicy = {
  name: "alerts-exist",
  area,
  severity: "medium",
  description: "A stack that runs Prometheus has alerts.",
  why: "Without an alerting rule, metrics help only somebody who is already looking.",
  remedy: [
    "Add an alerting rule, with alert and expr, to the rule files in the ConfigMap of Prometheus.",
    "Begin with what users notice: errors and slow answers.",
  ],
  link: "https://prometheus.io/docs/practices/alerting/",
  checkStack(objects, judgeOf) {
    const [prometheus] = objects.filter(runsPrometheus);
    if (prometheus === undefined) return;
    const rules = [...ofKind(objects, "core", "ConfigMap"), ...objects.filter(isPrometheusRule)];
    if (rules.some(hasAlert)) return;
    const unclear = rules.flatMap((object) => {
      const field = contentOf(object).firstUnknown();
      return field === undefined ? [] : [{ object, field }];
    });
    for (const { object, field } of unclear) judgeOf(object).knows(field);
    if (unclear.length === 0) judgeOf(prometheus).report(prometheus.root.at("metadata", "name"), noAlert);
  },
};

const noAlert = "is Prometheus, and no ConfigMap or PrometheusRule has an alerting rule";

function runsPrometheus(object: Target): boolean {
  const { value } = object.root.at("metadata", "name");
  return (
    (object.group === "monitoring.coreos.com" && object.kind === "Prometheus") ||
    (podsOf(object).length > 0 && (value === "prometheus" || isLabelledPrometheus(object)))
  );
}

function isLabelledPrometheus({ root }: Target): boolean {
  return root.at("metadata", "labels", "app.kubernetes.io/name").value === "prometheus";
}

function isPrometheusRule({ group, kind }: Target): boolean {
  return group === "monitoring.coreos.com" && kind === "PrometheusRule";
}

function contentOf(object: Target) {
  return isPrometheusRule(object) ? object.root.at("spec", "groups") : object.root.at("data");
}

function hasAlert(object: Target): boolean {
  const content = contentOf(object);
  if (!isPrometheusRule(object)) {
    return content.entries().some(([, { value }]) => typeof value === "string" && alertingRule.test(value));
  }
  const rules = content.items().flatMap((group) => group.at("rules").items());
  return rules.some((rule) => typeof rule.at("alert").value === "string");
}

export const observabilityPolicies: readonly Policy[] = [ownershipLabels, metricsAreScraped, alertsExist];
