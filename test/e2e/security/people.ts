import { expect } from "chai";
import { kubectl } from "../support/cluster";
import { change, platform, rbac, riskyEverywhere, verbs } from "./access";
import { allowed, memberOf, told, type Action } from "./reviews";

/** Groups that the suite's stack names, by role. */
export const groups = { viewer: "e2e:viewers", operator: "e2e:operators", admin: "e2e:admins" } as const;

type Role = keyof typeof groups;

/** The settings' text for them. */
export const accessSettings = `access: { viewers: ["${groups.viewer}"], operators: ["${groups.operator}"], admins: ["${groups.admin}"] }`;

/** What somebody may do who is in a group, by the first role that may; each role has what the one before it has. */
const rightsOf: readonly (readonly [Role | "nobody", readonly Action[]])[] = [
  [
    "viewer",
    [
      ...["pods", "pods/log", "configmaps", "events", "services"].flatMap((resource) =>
        verbs(resource, "get"),
      ),
      ...verbs("argoproj.io/rollouts", "get", "list", "watch"),
      ...verbs("networking.k8s.io/networkpolicies", "list"),
      ...verbs(`${rbac}/rolebindings`, "list"),
    ],
  ],
  [
    "operator",
    [
      ...["argoproj.io/rollouts", "argoproj.io/rollouts/status", "argoproj.io/rollouts/scale"].flatMap(
        (resource) => verbs(resource, "patch"),
      ),
      ...verbs("apps/deployments/scale", "patch"),
      ...verbs("pods", "delete"),
    ],
  ],
  [
    "admin",
    [
      ...verbs("secrets", "get", "list", "create", "delete"),
      ...verbs("pods/exec", "create", "get"),
      ...verbs("pods", "create"),
      ...verbs("apps/deployments", "create", "patch", "delete"),
      ...verbs("networking.k8s.io/networkpolicies", "delete"),
    ],
  ],
  [
    "nobody",
    [
      ...verbs("serviceaccounts/token", "create"),
      ...verbs("serviceaccounts", "impersonate"),
      ...[`${rbac}/roles`, `${rbac}/rolebindings`].flatMap((resource) => verbs(resource, ...change)),
      ...verbs(`${rbac}/roles`, "bind", "escalate"),
    ],
  ],
];

/** Namespaces of the suite's stack whose Pods look into their nodes. */
const onNodes: readonly string[] = ["logging"];

/** Each role can do what it is for, in the platform's namespaces and nowhere else. */
export async function peopleHaveTheirRoles(): Promise<void> {
  const order: readonly (Role | "nobody")[] = ["viewer", "operator", "admin", "nobody"];
  for (const role of Object.keys(groups) as Role[]) {
    for (const namespace of [...platform, "kube-system", "default"]) {
      const ours = platform.some((each) => each === namespace);
      const all = rightsOf.flatMap(([first, actions]) =>
        actions.map((action) => ({
          ...action,
          namespace,
          // Nobody is to become root on the nodes through the Pods that look into them.
          expected:
            ours &&
            order.indexOf(first) <= order.indexOf(role) &&
            !(first === "admin" && onNodes.includes(namespace)),
        })),
      );
      const found = await allowed(memberOf(groups[role]), all);
      expect(found.map(told), `${role} in ${namespace}`).to.deep.equal(
        all.filter(({ expected }) => expected).map(told),
      );
    }
    const outside = await allowed(memberOf(groups[role]), riskyEverywhere);
    expect(outside.map(told), `${role}, outside of namespaces`).to.deep.equal([]);
  }
  const stranger = await allowed(
    memberOf("e2e:strangers"),
    rightsOf.flatMap(([, actions]) => actions.map((action) => ({ ...action, namespace: "inventory" }))),
  );
  expect(stranger.map(told), "somebody in no group").to.deep.equal([]);
}

/** The same for what people really type: nothing is changed. */
export async function peopleAreLetInAndTurnedAway(): Promise<void> {
  const pod = "inventory-database-0";
  const promote = [
    ...["patch", "rollout", "inventory", "--subresource=status", "--type=merge", "-p", "{}"],
    "--dry-run=server",
  ];
  const commands: readonly (readonly [Role, readonly string[]])[] = [
    ["viewer", ["get", "pods"]],
    ["viewer", ["logs", pod, "--tail=1"]],
    ["operator", promote],
    ["operator", ["delete", "pod", pod, "--dry-run=server"]],
    ["admin", ["get", "secrets"]],
    ["admin", ["exec", pod, "--", "true"]],
  ];
  const order = Object.keys(groups) as Role[];
  for (const role of order) {
    for (const [first, command] of commands) {
      const reason = await refusal(role, command);
      if (order.indexOf(first) <= order.indexOf(role)) {
        expect(reason, `${role}: ${command.join(" ")}`).to.equal(undefined);
      } else {
        expect(reason, `${role}: ${command.join(" ")}`).to.match(/forbidden/i);
      }
    }
  }
}

/** Why a command is refused that somebody with a role types; undefined when it is not. */
async function refusal(role: Role, command: readonly string[]): Promise<string | undefined> {
  const identity = ["--as", "somebody", "--as-group", groups[role], "--as-group", "system:authenticated"];
  try {
    await kubectl(...identity, "-n", "inventory", ...command);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
