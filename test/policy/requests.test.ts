import { expect } from "chai";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import {
  AnalyzeRequest,
  ConfigureAnalyzerRequest,
  EnforcementLevel,
  PolicyConfig,
} from "@pulumi/pulumi/proto/analyzer_pb";
import { readRequestsLazily } from "../../policy/frame/requests";

type Properties = Parameters<typeof Struct.fromJavaScript>[0];

describe("requests to the policy server", () => {
  const request = new AnalyzeRequest();
  const properties = { metadata: { name: "web" }, spec: { replicas: 2 } };
  request.setType("kubernetes:apps/v1:Deployment");
  request.setUrn("urn:pulumi:test::test::kubernetes:apps/v1:Deployment::web");
  request.setProperties(Struct.fromJavaScript(properties as Properties));
  const bytes = Buffer.from(request.serializeBinary());
  const service = () => ({
    configure: { requestDeserialize: ConfigureAnalyzerRequest.deserializeBinary },
    remediate: { requestDeserialize: AnalyzeRequest.deserializeBinary },
  });
  const configured = (level: EnforcementLevel) => {
    const configuration = new ConfigureAnalyzerRequest();
    const policy = new PolicyConfig();
    policy.setEnforcementlevel(level as 0 | 1 | 2 | 3);
    policy.setProperties(Struct.fromJavaScript({ required: true }));
    configuration.getPolicyconfigMap().set("seccomp-profile", policy);
    return Buffer.from(configuration.serializeBinary());
  };
  it("have everything that they have for the library", () => {
    readRequestsLazily(service());
    const read = AnalyzeRequest.deserializeBinary(bytes);
    expect(read.getType()).to.equal(request.getType());
    expect(read.getUrn()).to.equal(request.getUrn());
    expect(read.getProperties()?.toJavaScript()).to.deep.equal(properties);
  });

  it("are empty where nothing remediates, and whole where a stack has a policy remediate", () => {
    const own = service();
    readRequestsLazily(own);
    const read = () => own.remediate.requestDeserialize(bytes);
    expect(read().getType()).to.equal("");
    expect(read().getProperties()?.toJavaScript()).to.deep.equal({});
    own.configure.requestDeserialize(configured(EnforcementLevel.MANDATORY));
    expect(read().getType()).to.equal("");
    const settings = own.configure
      .requestDeserialize(configured(EnforcementLevel.REMEDIATE))
      .getPolicyconfigMap()
      .get("seccomp-profile");
    expect(settings?.getProperties()?.toJavaScript()).to.deep.equal({ required: true });
    expect(read().getType()).to.equal(request.getType());
    expect(read().getProperties()?.toJavaScript()).to.deep.equal(properties);
  });
});
