import { expect } from "chai";
import type { PropertyMap } from "../../../../../tools/plugins/rpc/values";
import {
  badConditions,
  eventLines,
  podTroubles,
} from "../../../../../tools/plugins/kubernetes/await/failure";

describe("failure", () => {
  it("names the conditions that are not as they should be", () => {
    const conditions: PropertyMap[] = [
      { type: "Available", status: "False", reason: "MinimumReplicasUnavailable", message: "no pods" },
      { type: "Progressing", status: "True" },
      { type: "ReplicaFailure", status: "True", message: "quota" },
      { type: "Failed", status: "False" },
    ];
    expect(badConditions({ status: { conditions } })).to.deep.equal([
      "Available=False (MinimumReplicasUnavailable): no pods",
      "ReplicaFailure=True: quota",
    ]);
  });

  it("says why the containers of a pod do not run", () => {
    const pod: PropertyMap = {
      metadata: { name: "web-1" },
      status: {
        conditions: [{ type: "PodScheduled", status: "True" }],
        initContainerStatuses: [
          { name: "init", state: { terminated: { exitCode: 0, reason: "Completed" } }, ready: true },
        ],
        containerStatuses: [
          {
            name: "a",
            state: { waiting: { reason: "ImagePullBackOff", message: "not found" } },
            ready: false,
          },
          {
            name: "b",
            state: { waiting: { reason: "CrashLoopBackOff" } },
            lastState: { terminated: { exitCode: 3, reason: "Error", message: "password=hunter2" } },
            restartCount: 4,
          },
          { name: "c", state: { running: {} }, ready: false },
          { name: "d", state: { running: {} }, ready: true },
          { name: "e", state: { terminated: { exitCode: 137, reason: "OOMKilled" } }, ready: false },
        ],
      },
    };
    expect(podTroubles(pod)).to.deep.equal([
      "pod web-1, container a: ImagePullBackOff: not found",
      "pod web-1, container b: CrashLoopBackOff (last Error with exit code 3), restarted 4 times",
      "pod web-1, container c: running but not ready",
      "pod web-1, container e: OOMKilled with exit code 137",
    ]);
  });

  it("has the last words of containers that want them to be told, and of no other", () => {
    const message = '{"level": "INFO"}\none\ntwo\n\nthree\nfour: it failed.\n';
    const terminated = { exitCode: 1, reason: "Error", message };
    const pod: PropertyMap = {
      metadata: { name: "job-1" },
      spec: {
        initContainers: [{ name: "dump", terminationMessagePolicy: "FallbackToLogsOnError" }],
        containers: [{ name: "quiet", terminationMessagePolicy: "File" }],
      },
      status: {
        initContainerStatuses: [{ name: "dump", state: { terminated } }],
        containerStatuses: [{ name: "quiet", state: { terminated } }],
      },
    };
    expect(podTroubles(pod)).to.deep.equal([
      "pod job-1, container dump: Error with exit code 1: two three four: it failed.",
      "pod job-1, container quiet: Error with exit code 1",
    ]);
  });

  it("says that no node takes a pod", () => {
    const conditions = [{ type: "PodScheduled", status: "False", message: "0/1 nodes are available" }];
    expect(podTroubles({ metadata: { name: "p" }, status: { conditions } })).to.deep.equal([
      "pod p: 0/1 nodes are available",
    ]);
  });

  it("tells each event once, newest last, and not too many", () => {
    const event = (message: string, lastTimestamp: string, count = 1) => ({
      reason: "Failed",
      message,
      lastTimestamp,
      count,
      involvedObject: { kind: "Pod" },
    });
    expect(eventLines([event("b", "2"), event("a", "1"), event("b", "3", 2)])).to.deep.equal([
      "event Failed of Pod: a",
      "event Failed of Pod: b (3 times)",
    ]);
    const many = Array.from({ length: 30 }, (_, index) => event(`m${index}`, String(index).padStart(2, "0")));
    expect(eventLines(many)).to.have.length(10);
    expect(eventLines(many).at(-1)).to.equal("event Failed of Pod: m29");
  });
});
