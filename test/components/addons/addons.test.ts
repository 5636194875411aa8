import { expect } from "chai";
import { Addons } from "../../../components/addons";
import { publicUrl } from "../../../components/addons/gateway";
import { traefikShutdown } from "../../../components/addons/traefikArguments";
import { flowTable } from "../../../components/cluster/flowTable";
import { at, settingsWith, types } from "../../support/components";
import { register, valueOf, type JsonObject, type Recording } from "../../support/mocks";

async function addons(gateway: JsonObject = {}, metricsServer: JsonObject = {}): Promise<Recording<Addons>> {
  const settings = await settingsWith({ gateway, metricsServer });
  return register(
    () =>
      new Addons("addons", {
        settings,
        flows: flowTable(settings),
        sealed: [],
        images: settings.images,
        namespaceOf: (name) => name,
        namespaceNames: ["gateway", "inventory", "delivery"],
        released: "inventory",
        served: ["gateway", "inventory"],
        priorityClassName: "platform",
        hostnames: ["inventory.example.com"],
        appArmor: settings.cluster.appArmor,
        certificate: settings.secrets.gatewayCertificate,
        privateKey: settings.secrets.gatewayPrivateKey,
      }),
  );
}

const selfSigned: JsonObject = { tls: { mode: "selfSigned" } };

describe("the gateway", () => {
  it("has neither dashboard nor API, and logs no header that could be a key", async () => {
    const { one } = await addons();
    const container = at(
      one(types.deployment, "traefik-deployment").inputs,
      "spec",
      "template",
      "spec",
      "containers",
      0,
    );
    const args = at(container, "args") as string[];
    expect(args.filter((arg) => arg.startsWith("--api"))).to.deep.equal([]);
    expect(args).to.include.members([
      "--accesslog.fields.headers.defaultmode=drop",
      "--providers.kubernetesgateway.namespaces=gateway,inventory",
      "--entrypoints.websecure.forwardedheaders.trustedips=10.0.0.0/8",
    ]);
    expect(at(container, "image")).to.equal("registry.example.com/mirror/docker.io/library/traefik:v3.6.12");
  });

  it("moves every busy connection to another Pod before it stops accepting", async () => {
    const { one } = await addons();
    const pod = at(one(types.deployment, "traefik-deployment").inputs, "spec", "template", "spec");
    const { connectionSeconds, acceptSeconds, graceSeconds } = traefikShutdown;
    expect(connectionSeconds).to.be.lessThan(acceptSeconds);
    expect(at(pod, "terminationGracePeriodSeconds")).to.be.greaterThan(acceptSeconds + graceSeconds);
    const args = at(pod, "containers", 0, "args") as string[];
    expect(args).to.include.members([
      `--entrypoints.websecure.transport.keepalivemaxtime=${connectionSeconds}s`,
      `--entrypoints.websecure.transport.lifecycle.requestacceptgracetimeout=${acceptSeconds}s`,
      "--ping.terminatingstatuscode=200",
    ]);
  });

  it("gets no request before it has read its routes, though it answers pings by then", async () => {
    const { one } = await addons();
    const pod = at(one(types.deployment, "traefik-deployment").inputs, "spec", "template", "spec");
    expect(at(pod, "containers", 0, "readinessProbe", "initialDelaySeconds")).to.be.greaterThan(1);
  });

  it("speaks no older TLS than the stack says", async () => {
    for (const [minimumTlsVersion, expected] of [
      ["1.2", "VersionTLS12"],
      ["1.3", "VersionTLS13"],
    ] as const) {
      const { one } = await addons({ minimumTlsVersion });
      const file = JSON.parse(
        String(at(one(types.configMap, "traefik-configuration").inputs, "data", "dynamic.yaml")),
      );
      expect(at(file, "tls", "options", "default")).to.deep.include({
        minVersion: expected,
        sniStrict: true,
      });
    }
  });

  it("asks another Pod when one does not take the connection, at every entry point", async () => {
    const { one } = await addons();
    const args = at(
      one(types.deployment, "traefik-deployment").inputs,
      ...["spec", "template", "spec", "containers", 0, "args"],
    ) as string[];
    const used = args.flatMap((arg) => /\.http\.middlewares=(.+)@file$/.exec(arg)?.[1] ?? []);
    expect(used).to.have.length(2);
    const file = JSON.parse(
      String(at(one(types.configMap, "traefik-configuration").inputs, "data", "dynamic.yaml")),
    );
    for (const name of used)
      expect(at(file, "http", "middlewares", name, "retry", "attempts")).to.be.greaterThan(1);
  });

  it("sends HTTP to HTTPS, at the port that clients see", async () => {
    const { one } = await addons({ service: { type: "NodePort", httpPort: 30080, httpsPort: 30443 } });
    const filter = at(one(types.httpRoute, "gateway-redirect").inputs, "spec", "rules", 0, "filters", 0);
    expect(at(filter, "requestRedirect")).to.deep.equal({ scheme: "https", port: 30443, statusCode: 301 });
  });

  it("gets routes from the platform's namespaces only", async () => {
    const { one } = await addons();
    const [http, https] = at(one(types.gateway, "gateway-listeners").inputs, "spec", "listeners") as object[];
    expect(at(http, "allowedRoutes", "namespaces", "from")).to.equal("Same");
    expect(
      at(https, "allowedRoutes", "namespaces", "selector", "matchExpressions", 0, "values"),
    ).to.deep.equal(["gateway", "inventory"]);
    expect(at(https, "tls", "mode")).to.equal("Terminate");
  });

  it("takes the certificate that the stack brings", async () => {
    const { one, result } = await addons({ tls: { mode: "provided" } });
    const secret = one(types.secret, "gateway-tls");
    expect(secret.inputs.stringData).to.equal("[secret]");
    expect(at(secret.plain, "stringData", "tls.crt")).to.match(/^-----BEGIN CERTIFICATE-----/);
    expect(result.gateway.caCertificate).to.equal(undefined);
  });

  it("makes a certificate and says whom to trust", async () => {
    const { one, result } = await addons(selfSigned);
    expect(await valueOf(result.gateway.caCertificate)).to.equal("certificate-of-gateway-tls-ca");
    expect(one(types.secret, "gateway-tls").inputs.stringData).to.equal("[secret]");
    const request = one("tls:index/certRequest:CertRequest", "gateway-tls-request");
    expect(request.inputs.dnsNames).to.deep.equal(["inventory.example.com"]);
    const signed = one("tls:index/locallySignedCert:LocallySignedCert", "gateway-tls-certificate");
    expect(signed.inputs.allowedUses).to.deep.equal(["digital_signature", "server_auth"]);
  });

  it("takes a Secret that is there already", async () => {
    const { one, all } = await addons({ tls: { mode: "existingSecret", secretName: "wildcard" } });
    const listener = at(one(types.gateway, "gateway-listeners").inputs, "spec", "listeners", 1);
    expect(at(listener, "tls", "certificateRefs")).to.deep.equal([{ kind: "Secret", name: "wildcard" }]);
    expect(all(types.secret).map(({ name }) => name)).not.to.include("gateway-tls");
  });

  it("is exposed as the stack says", async () => {
    const loadBalancer = await addons({
      service: {
        type: "LoadBalancer",
        annotations: { "example.com/scheme": "internal" },
        sourceRanges: ["203.0.113.0/24"],
      },
    });
    const service = loadBalancer.one(types.service, "traefik-service").inputs;
    expect(service.spec).to.deep.include({
      type: "LoadBalancer",
      loadBalancerSourceRanges: ["203.0.113.0/24"],
      externalTrafficPolicy: "Local",
    });
    expect(at(service, "metadata", "annotations")).to.deep.equal({ "example.com/scheme": "internal" });
    const users = loadBalancer.one(types.networkPolicy, "addons-flows-users-to-gateway-ingress");
    expect(at(users.inputs, "spec", "ingress", 0, "from")).to.deep.equal([
      { ipBlock: { cidr: "203.0.113.0/24" } },
    ]);
    const inside = await addons({ service: { type: "ClusterIP" } });
    expect(at(inside.one(types.service, "traefik-service").inputs, "spec", "type")).to.equal("ClusterIP");
  });

  it("stays there when a node is drained, where there is more than one Pod", async () => {
    const several = await addons({ replicas: 3 });
    expect(several.all(types.budget).map(({ name }) => name)).to.include("traefik-budget");
    const single = await addons({ replicas: 1 });
    expect(single.all(types.budget).map(({ name }) => name)).not.to.include("traefik-budget");
  });

  it("waits for its definitions, and its listeners for it", async () => {
    const { one } = await addons();
    const definition = "gateway-api-customresourcedefinition-gateways.gateway.networking.k8s.io";
    expect(one("technova:addons:Traefik", "traefik").dependsOn).to.include(definition);
    expect(one("technova:addons:Gateway", "gateway").dependsOn).to.include.members([
      definition,
      "traefik-deployment",
    ]);
    expect(at(one(types.gateway, "gateway-listeners").inputs, "metadata", "annotations")).to.deep.equal({
      "pulumi.com/waitFor": "condition=Programmed",
    });
  });

  it("reads no Secret outside of the namespaces that it serves", async () => {
    const { all } = await addons();
    for (const { inputs, name } of all(types.clusterRole).filter(({ name }) => name.startsWith("traefik"))) {
      expect(JSON.stringify(inputs.rules), name).not.to.contain("secrets");
    }
    const roles = all(types.role).filter(({ name }) => name.startsWith("traefik"));
    expect(roles.map(({ inputs }) => at(inputs, "metadata", "namespace"))).to.deep.equal([
      "gateway",
      "inventory",
    ]);
    expect(JSON.stringify(roles)).not.to.contain('"*"');
  });

  it("is reached at an address without its port where that is the usual one", async () => {
    const { gateway } = await settingsWith({ gateway: { service: { type: "ClusterIP" } } });
    expect(publicUrl("a.example.com", gateway)).to.equal("https://a.example.com");
  });
});

describe("metrics-server", () => {
  const deployment = "metrics-server-manifest-deployment-metrics-server";

  it("verifies kubelets by the cluster's authority unless the stack says otherwise", async () => {
    const argumentsOf = async (kubeletCertificates: string) => {
      const { one } = await addons({}, { kubeletCertificates });
      return at(
        one(types.deployment, deployment).inputs,
        "spec",
        "template",
        "spec",
        "containers",
        0,
        "args",
      );
    };
    expect(await argumentsOf("clusterCa"))
      .to.include("--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
      .and.not.to.include("--kubelet-insecure-tls");
    expect(await argumentsOf("insecure")).to.include("--kubelet-insecure-tls");
  });

  it("is verified by the API server, where upstream trusts anyone", async () => {
    const { one } = await addons();
    const spec = at(
      one(types.apiService, "metrics-server-manifest-apiservice-v1beta1.metrics.k8s.io").inputs,
      "spec",
    );
    expect(spec).not.to.have.property("insecureSkipTLSVerify");
    expect(spec).to.deep.include({
      caBundle: Buffer.from("certificate-of-metrics-server-tls-ca").toString("base64"),
    });
    const request = one("tls:index/certRequest:CertRequest", "metrics-server-tls-request");
    expect(request.inputs.dnsNames).to.deep.equal(["metrics-server.kube-system.svc"]);
  });

  it("runs upstream's Pod with the platform's defaults", async () => {
    const { one } = await addons({}, { replicas: 2 });
    const spec = at(one(types.deployment, deployment).inputs, "spec");
    expect(at(spec, "replicas")).to.equal(2);
    const container = at(spec, "template", "spec", "containers", 0);
    expect(at(container, "image")).to.equal(
      "registry.example.com/mirror/registry.k8s.io/metrics-server/metrics-server:v0.9.0",
    );
    expect(at(container, "resources")).to.have.all.keys("requests", "limits");
    expect(at(container, "securityContext")).to.deep.include({ readOnlyRootFilesystem: true });
    expect(at(container, "readinessProbe", "httpGet", "path")).to.equal("/readyz");
    const account = one(types.serviceAccount, "metrics-server-manifest-serviceaccount-metrics-server");
    expect(account.inputs.automountServiceAccountToken).to.equal(false);
  });
});

describe("Argo Rollouts", () => {
  it("drives the releases of one namespace, with rights in no other", async () => {
    const { all, one } = await addons();
    const pod = at(
      one(types.deployment, "argo-rollouts-manifest-deployment-argo-rollouts").inputs,
      "spec",
      "template",
      "spec",
    );
    expect(at(pod, "containers", 0, "args")).to.include.members(["--namespaced", "--namespace=inventory"]);
    expect(at(pod, "containers", 0, "image")).to.match(/quay\.io\/argoproj\/argo-rollouts:v1\.10\.1$/);
    const roles = all(types.role).filter(({ name }) => name.startsWith("argo-rollouts"));
    const namespaces = roles.map(({ inputs }) => at(inputs, "metadata", "namespace"));
    expect(namespaces.sort()).to.deep.equal(["delivery", "inventory"]);
    expect(all(types.clusterRole).filter(({ name }) => name.includes("rollouts"))).to.deep.equal([]);
  });

  it("may not read the application's Secrets, nor change what exposes it", async () => {
    const { one } = await addons();
    const { rules } = one(types.role, "argo-rollouts-manifest-clusterrole-argo-rollouts").inputs as {
      rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    };
    expect(rules.flatMap(({ resources }) => resources)).to.not.include("secrets");
    const groups = new Set(rules.flatMap(({ apiGroups }) => apiGroups));
    expect([...groups].sort()).to.deep.equal([
      "",
      "apps",
      "argoproj.io",
      "batch",
      "networking.k8s.io",
      "traefik.io",
    ]);
    for (const { apiGroups, verbs } of rules) {
      if (apiGroups.includes("networking.k8s.io")) expect(verbs).to.deep.equal(["get", "list", "watch"]);
    }
  });
});
