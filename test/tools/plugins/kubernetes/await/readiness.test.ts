import { expect } from "chai";
import { present } from "../support/present";
import { readinessOf } from "../../../../../tools/plugins/kubernetes/await/readiness";
import type { PropertyMap } from "../../../../../tools/plugins/rpc/values";

type Outcome = "ready" | "waiting" | "failed";

interface Snapshot {
  readonly when: string;
  readonly is: Outcome;
  readonly object: PropertyMap;
  readonly related?: PropertyMap[];
}

const observed = (status: PropertyMap, spec: PropertyMap = {}) => ({
  metadata: { name: "x", generation: 2 },
  spec,
  status: { observedGeneration: 2, ...status },
});
const cond = (type: string, status: string, reason = "", message = "") => ({ type, status, reason, message });
const status = (value: PropertyMap, spec: PropertyMap = {}) => ({
  metadata: { name: "x" },
  spec,
  status: value,
});

const SNAPSHOTS: Record<string, Snapshot[]> = {
  "apps/v1/Deployment": [
    { when: "nobody has seen it", is: "waiting", object: status({}) },
    {
      when: "the last change is not seen yet",
      is: "waiting",
      object: {
        ...observed({}),
        status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
      },
    },
    {
      when: "pods start",
      is: "waiting",
      object: observed({ replicas: 2, updatedReplicas: 1 }, { replicas: 2 }),
    },
    {
      when: "old pods are left",
      is: "waiting",
      object: observed({ replicas: 3, updatedReplicas: 2, availableReplicas: 3 }, { replicas: 2 }),
    },
    {
      when: "new pods are not available",
      is: "waiting",
      object: observed({ replicas: 2, updatedReplicas: 2, availableReplicas: 1 }, { replicas: 2 }),
    },
    {
      when: "all are available",
      is: "ready",
      object: observed({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 }, { replicas: 2 }),
    },
    { when: "it is scaled to none", is: "ready", object: observed({}, { replicas: 0 }) },
    { when: "it is paused", is: "ready", object: observed({}, { paused: true }) },
    {
      when: "its deadline has passed",
      is: "failed",
      object: observed({ conditions: [cond("Progressing", "False", "ProgressDeadlineExceeded")] }),
    },
  ],
  "apps/v1/StatefulSet": [
    { when: "pods start", is: "waiting", object: observed({ readyReplicas: 1 }, { replicas: 2 }) },
    {
      when: "the template is not everywhere",
      is: "waiting",
      object: observed(
        { readyReplicas: 2, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
        { replicas: 2 },
      ),
    },
    {
      when: "those above the partition are updated",
      is: "ready",
      object: observed(
        { readyReplicas: 2, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
        { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } },
      ),
    },
    {
      when: "it updates on deletion",
      is: "ready",
      object: observed(
        { readyReplicas: 1, currentRevision: "a", updateRevision: "b" },
        { replicas: 1, updateStrategy: { type: "OnDelete" } },
      ),
    },
    {
      when: "all are ready",
      is: "ready",
      object: observed({ readyReplicas: 1, currentRevision: "a", updateRevision: "a" }),
    },
  ],
  "apps/v1/DaemonSet": [
    {
      when: "a node lacks the new pod",
      is: "waiting",
      object: observed({ desiredNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2 }),
    },
    {
      when: "a pod is not available",
      is: "waiting",
      object: observed({ desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 }),
    },
    {
      when: "all nodes have it",
      is: "ready",
      object: observed({ desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }),
    },
    { when: "no node wants it", is: "ready", object: observed({ desiredNumberScheduled: 0 }) },
  ],
  "batch/v1/Job": [
    { when: "it runs", is: "waiting", object: status({ active: 1 }) },
    { when: "it has completed", is: "ready", object: status({ conditions: [cond("Complete", "True")] }) },
    {
      when: "it has failed",
      is: "failed",
      object: status({ conditions: [cond("Failed", "True", "BackoffLimitExceeded")] }),
    },
    { when: "it is suspended", is: "ready", object: status({}, { suspend: true }) },
  ],
  "v1/Pod": [
    {
      when: "no node takes it",
      is: "waiting",
      object: status({
        phase: "Pending",
        conditions: [cond("PodScheduled", "False", "Unschedulable", "0/1 nodes")],
      }),
    },
    {
      when: "it runs but is not ready",
      is: "waiting",
      object: status({ phase: "Running", conditions: [cond("Ready", "False")] }),
    },
    {
      when: "it is ready",
      is: "ready",
      object: status({ phase: "Running", conditions: [cond("Ready", "True")] }),
    },
    { when: "it has finished", is: "ready", object: status({ phase: "Succeeded" }) },
    { when: "it has failed", is: "failed", object: status({ phase: "Failed", reason: "Evicted" }) },
  ],
  "v1/Service": [
    { when: "its endpoints are not made yet", is: "waiting", object: status({}, { selector: { a: "b" } }) },
    {
      when: "a pod behind it starts",
      is: "waiting",
      object: status({}, { selector: { a: "b" } }),
      related: [{ endpoints: [{ conditions: { ready: true } }, { conditions: { ready: false } }] }],
    },
    {
      when: "a pod behind it ends",
      is: "ready",
      object: status({}, { selector: { a: "b" } }),
      related: [
        { endpoints: [{ conditions: { ready: true } }, { conditions: { ready: false, terminating: true } }] },
      ],
    },
    {
      when: "there are no pods yet",
      is: "ready",
      object: status({}, { selector: { a: "b" } }),
      related: [{}],
    },
    { when: "it has no selector", is: "ready", object: status({}) },
    { when: "it is headless", is: "ready", object: status({}, { clusterIP: "None", selector: { a: "b" } }) },
    {
      when: "it is another name",
      is: "ready",
      object: status({}, { type: "ExternalName", selector: { a: "b" } }),
    },
    { when: "it waits for an address", is: "waiting", object: status({}, { type: "LoadBalancer" }) },
    {
      when: "it has its address",
      is: "ready",
      object: status({ loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } }, { type: "LoadBalancer" }),
    },
  ],
  "networking.k8s.io/v1/Ingress": [
    { when: "no controller took it", is: "waiting", object: status({}) },
    { when: "it has an address", is: "ready", object: status({ loadBalancer: { ingress: [{}] } }) },
  ],
  "v1/PersistentVolumeClaim": [
    {
      when: "it is pending",
      is: "waiting",
      object: status({ phase: "Pending" }, { storageClassName: "fast" }),
      related: [{ volumeBindingMode: "Immediate" }],
    },
    {
      when: "it waits for a pod",
      is: "ready",
      object: status({ phase: "Pending" }, { storageClassName: "local" }),
      related: [{ volumeBindingMode: "WaitForFirstConsumer" }],
    },
    { when: "it is bound", is: "ready", object: status({ phase: "Bound" }) },
    { when: "its volume is lost", is: "failed", object: status({ phase: "Lost" }) },
  ],
  "v1/PersistentVolume": [
    { when: "it is available", is: "ready", object: status({ phase: "Available" }) },
    { when: "it has failed", is: "failed", object: status({ phase: "Failed" }) },
    { when: "nobody has seen it", is: "waiting", object: status({}) },
  ],
  "v1/Namespace": [
    { when: "it is active", is: "ready", object: status({ phase: "Active" }) },
    { when: "it is on its way out", is: "failed", object: status({ phase: "Terminating" }) },
  ],
  "v1/ResourceQuota": [
    { when: "it is not in effect", is: "waiting", object: status({}, { hard: { pods: "1" } }) },
    {
      when: "it is in effect",
      is: "ready",
      object: status({ hard: { pods: "1" } }, { hard: { pods: "1" } }),
    },
  ],
  "v1/Secret": [
    { when: "its token is missing", is: "waiting", object: { type: "kubernetes.io/service-account-token" } },
    {
      when: "its token is there",
      is: "ready",
      object: { type: "kubernetes.io/service-account-token", data: { token: "eA==" } },
    },
    { when: "it is of another type", is: "ready", object: { type: "Opaque" } },
  ],
  "v1/ReplicationController": [
    { when: "pods start", is: "waiting", object: status({ availableReplicas: 1 }, { replicas: 2 }) },
    { when: "all are there", is: "ready", object: status({ availableReplicas: 2 }, { replicas: 2 }) },
  ],
  "apiextensions.k8s.io/v1/CustomResourceDefinition": [
    { when: "it is not served yet", is: "waiting", object: status({}) },
    { when: "it is served", is: "ready", object: status({ conditions: [cond("Established", "True")] }) },
    {
      when: "its names are taken",
      is: "failed",
      object: status({ conditions: [cond("NamesAccepted", "False")] }),
    },
  ],
  "apiregistration.k8s.io/v1/APIService": [
    {
      when: "its service does not answer",
      is: "waiting",
      object: status({ conditions: [cond("Available", "False")] }),
    },
    { when: "it is available", is: "ready", object: status({ conditions: [cond("Available", "True")] }) },
  ],
};

describe("readiness", () => {
  for (const [type, snapshots] of Object.entries(SNAPSHOTS)) {
    const apiVersion = type.slice(0, type.lastIndexOf("/"));
    const kind = type.slice(type.lastIndexOf("/") + 1);
    describe(kind, () => {
      for (const { when, is, object, related } of snapshots) {
        it(`is ${is} when ${when}`, () => {
          const verdict = present(readinessOf({ apiVersion, kind })).judge(
            { apiVersion, kind, ...object },
            related ?? [],
          );
          const outcome: Outcome = verdict.ready ? "ready" : verdict.failed ? "failed" : "waiting";
          expect(outcome, verdict.message).to.equal(is);
          expect(verdict.message).not.to.equal("");
        });
      }
    });
  }

  it("is not asked for other kinds, nor where the program says so", () => {
    expect(readinessOf({ apiVersion: "v1", kind: "ConfigMap" })).to.equal(undefined);
    const metadata = {
      annotations: { "pulumi.com/skipAwait": "true", "pulumi.com/waitFor": "condition=Ready" },
    };
    expect(readinessOf({ apiVersion: "apps/v1", kind: "Deployment", metadata })).to.equal(undefined);
  });

  it("looks for the endpoints of a service and the class of a claim", () => {
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s", namespace: "n" },
      spec: { selector: { a: "b" } },
    };
    expect(readinessOf(service)?.related?.(service)).to.include({
      kind: "EndpointSlice",
      namespace: "n",
      labelSelector: "kubernetes.io/service-name=s",
    });
    const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", spec: { storageClassName: "local" } };
    expect(readinessOf(claim)?.related?.(claim)).to.include({ fieldSelector: "metadata.name=local" });
  });
});
