import { expect } from "chai";
import fc from "fast-check";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import {
  AnalyzeRequest,
  ConfigureAnalyzerRequest,
  EnforcementLevel,
  PolicyConfig,
} from "@pulumi/pulumi/proto/analyzer_pb";
import { readRequestsLazily } from "../../policy/frame/requests";
import { readStruct } from "../../policy/frame/wire";

type Properties = Parameters<typeof Struct.fromJavaScript>[0];

const bytesOf = (properties: object) => Struct.fromJavaScript(properties as Properties).serializeBinary();

describe("what the engine sends", () => {
  it("is read as the library reads it", () => {
    const key = fc.string({ unit: "binary" }).filter((name) => name !== "__proto__");
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.constant(null), fc.boolean(), fc.double({ noNaN: true }), fc.string({ unit: "binary" })),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree, { maxKeys: 5, noNullPrototype: true }), (properties) => {
        expect(readStruct(bytesOf(properties))).to.deep.equal(properties);
      }),
      { numRuns: 100 },
    );
  });

  it("may be long, and is read from where it begins", () => {
    const properties = { text: "ä".repeat(70_000), list: Array.from({ length: 300 }, (_, index) => index) };
    const bytes = bytesOf(properties);
    const within = Buffer.concat([Buffer.from("before"), bytes]).subarray(6);
    expect(readStruct(within)).to.deep.equal(properties);
  });

  it("is not read where it is cut off, instead of being half read", () => {
    const bytes = bytesOf({ spec: { replicas: 3, image: "registry.example/shop" } });
    const whole = readStruct(bytes);
    for (let length = 1; length < bytes.length; length += 1) {
      let read: unknown;
      try {
        read = readStruct(bytes.subarray(0, length));
      } catch {
        continue;
      }
      expect(read, `${length} of ${bytes.length} bytes`).to.deep.equal(whole);
    }
  });
});

describe("requests to the policy server", () => {
  const request = new AnalyzeRequest();
  const properties = { metadata: { name: "web" }, spec: { replicas: 2 } };
  request.setType("kubernetes:apps/v1:Deployment");
  request.setUrn("urn:pulumi:test::test::kubernetes:apps/v1:Deployment::web");
  request.setProperties(Struct.fromJavaScript(properties as Properties));
  const bytes = Buffer.from(request.serializeBinary());
  const eager = Struct.deserializeBinaryFromReader.bind(Struct);
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
  afterEach(() => {
    Struct.deserializeBinaryFromReader = eager;
  });

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
