import type { Exception } from "../../../policy/frame/exceptions";
import { image, kubernetes } from "./things";
import { transformed, type World } from "./world";

type Change = (world: World) => void;

/** An object of the world by its path of keys. */
type Any = Record<string, Record<string, Record<string, unknown>>>;
const metadata = (object: object) => (object as { metadata: Record<string, unknown> }).metadata;
const spec = (object: object) => (object as { spec: Record<string, unknown> }).spec;
export const container = (world: World, pod = "web-x1") =>
  (spec(world.find("Pod", pod)).containers as Record<string, unknown>[])[0] as Record<string, unknown>;
export const securityContext = (world: World) => container(world).securityContext as Record<string, unknown>;
const admissionPolicy = (world: World) => spec(world.find("ValidatingAdmissionPolicy", "technova-images"));
/** As good as the Pod's own container, but for what is given. */
const addEphemeral = (world: World, given: object) =>
  (spec(world.find("Pod", "web-x1")).ephemeralContainers = [
    { ...structuredClone(container(world)), name: "debug", ...given },
  ]);
const status = (object: object) => (object as { status: Record<string, unknown> }).status;
const ofGithub = (world: World, type: string) =>
  world.state.find((thing) => thing.type.endsWith(`:${type}`))?.object as Any;
const rules = (world: World) => world.github["/rules/branches/main"] as { type: string; parameters?: Any }[];
const without = (world: World, type: string) =>
  (world.github["/rules/branches/main"] = rules(world).filter((rule) => rule.type !== type));

/** What goes missing or wrong, and the one control that must notice it. */
export const cases: readonly (readonly [control: string, what: string, change: Change])[] = [
  ["state-is-encrypted", "no secrets provider", (world) => (world.secretsProvider = undefined)],
  ["state-is-encrypted", "a provider that only encodes", (world) => (world.secretsProvider = "b64")],
  [
    "state-is-encrypted",
    "a Secret in plain",
    (world) =>
      (world.state = world.state.map((thing) =>
        thing.inputs === undefined ? thing : { ...thing, inputs: { ...thing.object, data: { a: "Yg==" } } },
      )),
  ],
  [
    "no-credentials-in-plain-places",
    "a password in a variable",
    (world) => {
      const { template } = spec(world.find("Deployment", "web", world.state)) as { template: Any };
      const [first] = template.spec?.containers as unknown as Record<string, unknown>[];
      if (first) first.env = [{ name: "DB_PASSWORD", value: "hunter2hunter2" }];
    },
  ],
  [
    "pushes-are-scanned",
    "push protection switched off by hand",
    (world) =>
      (world.github[""] = {
        security_and_analysis: {
          secret_scanning: { status: "enabled" },
          secret_scanning_push_protection: { status: "disabled" },
        },
      }),
  ],
  [
    "pushes-are-scanned",
    "a state without scanning",
    (world) => (ofGithub(world, "Repository").securityAndAnalysis = {}),
  ],
  [
    "known-vulnerabilities-are-told",
    "alerts switched off by hand",
    (world) => delete world.github["/vulnerability-alerts"],
  ],

  ["pods-are-not-root", "root by the Pod", (world) => (securityContext(world).runAsNonRoot = false)],
  ["pods-are-not-root", "nothing said", (world) => delete securityContext(world).runAsNonRoot],
  ["system-calls-are-filtered", "no profile", (world) => delete securityContext(world).seccompProfile],
  [
    "system-calls-are-filtered",
    "an open profile",
    (world) => (securityContext(world).seccompProfile = { type: "Unconfined" }),
  ],
  ["no-capabilities", "none dropped", (world) => delete securityContext(world).capabilities],
  ["no-capabilities", "escalation", (world) => (securityContext(world).allowPrivilegeEscalation = true)],
  [
    "pods-stay-off-their-node",
    "the node's network",
    (world) => (spec(world.find("Pod", "web-x1")).hostNetwork = true),
  ],
  ["pods-stay-off-their-node", "privileged", (world) => (securityContext(world).privileged = true)],
  [
    "file-systems-are-read-only",
    "a writable image",
    (world) => (securityContext(world).readOnlyRootFilesystem = false),
  ],
  ["resources-are-limited", "no limits", (world) => delete container(world).resources],
  [
    "confined-by-the-kernel",
    "no profile",
    (world) => (spec(world.find("Pod", "web-x1")).securityContext = {}),
  ],
  [
    "confined-by-the-kernel",
    "an ephemeral container without a profile",
    (world) => {
      // The Pod says nothing for all of them, so that each has to say it itself.
      spec(world.find("Pod", "web-x1")).securityContext = {};
      addEphemeral(world, {});
      securityContext(world).appArmorProfile = { type: "RuntimeDefault" };
    },
  ],
  [
    "confined-by-the-kernel",
    "an open profile",
    (world) => (securityContext(world).appArmorProfile = { type: "Unconfined" }),
  ],
  [
    "images-name-a-build",
    "a mounted image by a tag that moves",
    (world) => {
      const reference = image.replace(/@.*/, ":latest");
      spec(world.find("Pod", "web-x1")).volumes = [{ name: "models", image: { reference } }];
    },
  ],
  [
    "images-are-those-of-the-state",
    "another build",
    (world) => (container(world).image = image.replaceAll("ab", "cd")),
  ],
  [
    "images-are-those-of-the-state",
    "another build by the runtime's account",
    (world) =>
      (status(world.find("Pod", "web-x1")).containerStatuses = [
        { name: "app", imageID: image.replaceAll("ab", "cd") },
      ]),
  ],
  [
    "images-are-those-of-the-state",
    "an ephemeral container of another build",
    (world) => addEphemeral(world, { image: image.replaceAll("ab", "cd") }),
  ],
  [
    "images-are-those-of-the-state",
    "an ephemeral container of another build by the runtime's account",
    (world) => {
      addEphemeral(world, {});
      status(world.find("Pod", "web-x1")).ephemeralContainerStatuses = [
        { name: "debug", imageID: image.replaceAll("ab", "cd") },
      ];
    },
  ],
  ["images-are-signed", "no exception any more", (world) => (world.exceptions = [])],
  ["behaviour-is-watched", "no sensor", (world) => world.remove("DaemonSet", "falco")],
  [
    "behaviour-is-watched",
    "a node without",
    (world) => (status(world.find("DaemonSet", "falco")).numberReady = 1),
  ],
  [
    "behaviour-is-watched",
    "other rules",
    (world) => {
      const { template } = spec(world.find("DaemonSet", "falco")) as { template: Any };
      (template.spec as Record<string, unknown>).volumes = [
        { name: "rules", configMap: { name: "falco-rules-of-mine" } },
      ];
    },
  ],
  ["events-are-received", "no receiver", (world) => world.remove("Deployment", "receiver")],
  [
    "events-are-received",
    "none ready",
    (world) => (status(world.find("Deployment", "receiver")).readyReplicas = 0),
  ],
  [
    "events-are-received",
    "one that somebody has scaled down",
    (world) => {
      spec(world.find("Deployment", "receiver")).replicas = 0;
      status(world.find("Deployment", "receiver")).readyReplicas = 0;
    },
  ],

  [
    "namespaces-hold-a-standard",
    "no label",
    (world) => (metadata(world.find("Namespace", "inventory")).labels = {}),
  ],
  [
    "namespaces-hold-a-standard",
    "a weaker label",
    (world) =>
      (metadata(world.find("Namespace", "inventory")).labels = {
        "pod-security.kubernetes.io/enforce": "privileged",
      }),
  ],
  ["admission-denies", "no policy", (world) => world.remove("ValidatingAdmissionPolicy", "technova-images")],
  [
    "admission-denies",
    "no binding",
    (world) => world.remove("ValidatingAdmissionPolicyBinding", "technova-images"),
  ],
  [
    "admission-denies",
    "a binding that only warns",
    (world) =>
      (spec(world.find("ValidatingAdmissionPolicyBinding", "technova-images")).validationActions = ["Warn"]),
  ],
  [
    "admission-denies",
    "a policy that is ignored when it fails",
    (world) => (spec(world.find("ValidatingAdmissionPolicy", "technova-images")).failurePolicy = "Ignore"),
  ],
  [
    "admission-denies",
    "a policy that admits everything",
    (world) => (admissionPolicy(world).validations = [{ expression: "true" }]),
  ],
  [
    "admission-denies",
    "a variable that stands for something else",
    (world) => (admissionPolicy(world).variables = [{ name: "spec", expression: "{'containers': []}" }]),
  ],
  [
    "admission-denies",
    "a condition that is never met",
    (world) => (admissionPolicy(world).matchConditions = [{ name: "never", expression: "false" }]),
  ],
  [
    "admission-denies",
    "a policy for other resources",
    (world) => {
      const { resourceRules } = admissionPolicy(world).matchConstraints as Any;
      Object.assign(resourceRules?.[0] ?? {}, { resources: ["replicasets"] });
    },
  ],
  [
    "admission-denies",
    "resources that a policy excludes",
    (world) => {
      const rule = { apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"], scope: "*" };
      Object.assign(admissionPolicy(world).matchConstraints as Any, { excludeResourceRules: [rule] });
    },
  ],
  [
    "admission-denies",
    "a binding for some namespaces only",
    (world) => {
      const namespaceSelector = { matchLabels: { checked: "true" } };
      const matchResources = { matchPolicy: "Equivalent", namespaceSelector, objectSelector: {} };
      spec(world.find("ValidatingAdmissionPolicyBinding", "technova-images")).matchResources = matchResources;
    },
  ],
  [
    "traffic-is-denied-by-default",
    "a policy for some Pods only",
    (world) => {
      for (const among of [world.state, world.live])
        spec(world.find("NetworkPolicy", "default-deny", among)).podSelector = {
          matchLabels: { app: "web" },
        };
    },
  ],
  [
    "traffic-is-denied-by-default",
    "a policy for one direction",
    (world) => (spec(world.find("NetworkPolicy", "default-deny")).policyTypes = ["Ingress"]),
  ],
  ["traffic-is-denied-by-default", "no policy", (world) => world.remove("NetworkPolicy", "default-deny")],
  [
    "traffic-is-that-of-the-table",
    "one that was added",
    (world) =>
      world.live.push(
        kubernetes(
          "networking.k8s.io/v1",
          "NetworkPolicy",
          "networkpolicies",
          { name: "by-hand", namespace: "inventory" },
          { spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{}] } },
        ),
      ),
  ],
  [
    "the-world-is-kept-out",
    "an opened Service",
    (world) => (spec(world.find("Service", "web")).type = "NodePort"),
  ],
  ["namespaces-are-bounded", "no quota", (world) => world.remove("ResourceQuota", "quota")],
  ["namespaces-are-bounded", "no limits", (world) => world.remove("LimitRange", "limits")],
  [
    "accounts-have-their-rights-alone",
    "a right that the state does not give",
    (world) => world.allowed.add("system:serviceaccount:falco:falco: get secrets inventory"),
  ],
  [
    "rights-are-small",
    "a wildcard",
    (world) =>
      ((world.find("Role", "web", world.state) as unknown as { rules: unknown }).rules = [
        { apiGroups: ["apps"], resources: ["*"], verbs: ["patch"] },
        { apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"] },
      ]),
  ],
  [
    "tokens-are-asked-for",
    "an account that hands its token out",
    (world) =>
      delete (world.find("ServiceAccount", "web") as Record<string, unknown>).automountServiceAccountToken,
  ],
  [
    "tokens-are-asked-for",
    "a Pod as the account default",
    (world) =>
      Object.assign(spec(world.find("Pod", "web-x1")), {
        serviceAccountName: "default",
        automountServiceAccountToken: true,
      }),
  ],
  [
    "strangers-may-nothing",
    "a right for everybody",
    (world) => world.allowed.add("system:anonymous: create pods inventory"),
  ],
  [
    "secrets-are-encrypted-at-rest",
    "plain ones that are read",
    (world) => (world.metrics += transformed("from_storage", "identity")),
  ],
  [
    "secrets-are-encrypted-at-rest",
    "plain ones that are written",
    (world) => (world.metrics += transformed("to_storage", "")),
  ],
  ["audit-log-arrives", "no line", (world) => (world.auditLines = 0)],
  ["secrets-are-sealed", "no controller", (world) => world.remove("Deployment", "sealed-secrets")],
  [
    "secrets-are-sealed",
    "one of the state that is gone",
    (world) => world.remove("SealedSecret", "database"),
  ],
  [
    "secrets-are-sealed",
    "one that was not opened",
    (world) => (status(world.find("SealedSecret", "database")).conditions = []),
  ],
  [
    "exceptions-end",
    "one that ends too late",
    (world) =>
      (world.exceptions = [
        ...(world.exceptions ?? []),
        {
          ...(world.exceptions?.[0] as Exception),
          resource: "Namespace other",
          expires: "2030-01-01",
        },
      ]),
  ],

  ["history-is-kept", "deletion allowed by hand", (world) => without(world, "deletion")],
  ["history-is-kept", "rewriting allowed by hand", (world) => without(world, "non_fast_forward")],
  ["changes-are-reviewed", "no reviews by hand", (world) => without(world, "pull_request")],
  ["commits-are-signed", "unsigned commits by hand", (world) => without(world, "required_signatures")],
  ["checks-are-required", "no checks by hand", (world) => without(world, "required_status_checks")],
  [
    "nobody-is-exempt",
    "an exemption by hand",
    (world) => (world.github["/rulesets/1"] = { id: 1, name: "main", bypass_actors: [{ actor_id: 1 }] }),
  ],
  [
    "nobody-is-exempt",
    "an environment that administrators pass by hand",
    (world) =>
      ((world.github["/environments/production"] as Record<string, unknown>).can_admins_bypass = true),
  ],
  [
    "deployments-are-approved",
    "no reviewers by hand",
    (world) =>
      (world.github["/environments/production"] = {
        can_admins_bypass: false,
        protection_rules: [],
        deployment_branch_policy: { custom_branch_policies: true },
      }),
  ],
  ["deployments-are-approved", "no environment", (world) => delete world.github["/environments/production"]],
  [
    "tokens-can-read-only",
    "a token that writes by hand",
    (world) =>
      (world.github["/actions/permissions/workflow"] = {
        default_workflow_permissions: "write",
        can_approve_pull_request_reviews: false,
      }),
  ],
  [
    "actions-are-chosen",
    "all actions by hand",
    (world) =>
      (world.github["/actions/permissions"] = { allowed_actions: "all", sha_pinning_required: true }),
  ],
  [
    "actions-are-chosen",
    "a state without pinning",
    (world) =>
      ((ofGithub(world, "ActionsRepositoryPermissions") as Record<string, unknown>).shaPinningRequired =
        false),
  ],
];

/** Files of the checkout that are not as they should be. */
const workflow = (body: string) => ({ ".github/workflows/added.yml": body });
export const files: readonly (readonly [
  control: string,
  what: string,
  files: Readonly<Record<string, string>>,
])[] = [
  ["node-dependencies-are-locked", "a range", { "package.json": '{"dependencies": {"zod": "^4.0.0"}}' }],
  [
    "node-dependencies-are-locked",
    "no sum",
    { "package-lock.json": '{"packages": {"": {}, "node_modules/zod": {"version": "4.0.0"}}}' },
  ],
  ["python-dependencies-are-locked", "no hash", { "app/requirements.lock": "fastapi==0.1.0\n" }],
  ["go-modules-are-locked", "no sum", { "tools/other/go.mod": "module other\n" }],
  [
    "manifests-are-locked",
    "no sum",
    { "components/manifests.lock.json": '[{"name": "crds", "files": [{"path": "a.yaml"}]}]' },
  ],
  [
    "settings-hold-no-plain-secret",
    "a plain one",
    { "Pulumi.local.yaml": "config:\n  technova:secrets:\n    databaseUrl: none\n" },
  ],
  [
    "settings-hold-no-plain-secret",
    "a password elsewhere",
    { "Pulumi.local.yaml": "config:\n  technova:gateway:\n    password: hunter2hunter2\n" },
  ],
  [
    "owners-review-code",
    "no owner of the policies",
    { ".github/CODEOWNERS": "* @a\n/.github/ @b\n/policy/\n" },
  ],
  [
    "workflows-are-pinned",
    "a tag",
    workflow(
      "on: push\npermissions: { contents: read }\njobs: { a: { steps: [{ uses: actions/checkout@v4 }] } }",
    ),
  ],
  ["workflows-are-pinned", "no permissions", workflow("on: push\njobs: { a: { steps: [{ run: ls }] } }")],
  [
    "workflows-are-pinned",
    "a token that writes",
    workflow("on: push\npermissions: { contents: write }\njobs: { a: { steps: [] } }"),
  ],
  [
    "one-way-to-deploy",
    "past the policies",
    workflow("on: push\npermissions: {}\njobs: { a: { steps: [{ run: kubectl apply -f a.yaml }] } }"),
  ],
  [
    "one-way-to-deploy",
    "with a stranger's code",
    workflow("on: pull_request_target\npermissions: {}\njobs: { a: { steps: [] } }"),
  ],
];
