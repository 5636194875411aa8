import { expect } from "chai";
import { lazy, loadSerializationLazily } from "../../../../tools/plugins/language-nodejs/lazy";

describe("language host: modules for serialization", () => {
  const sdk = "/program/node_modules/@pulumi/pulumi";
  const module = (filename: string) => ({ filename }) as NodeModule;

  function loader(installed: Record<string, object>) {
    const loaded: string[] = [];
    const subject = {
      loaded,
      _load: (request: string, _parent?: NodeModule, _isMain = false): unknown => {
        loaded.push(request);
        return installed[request];
      },
      _resolveFilename: (request: string): string => {
        if (installed[request] === undefined) throw new Error(`Cannot find module '${request}'`);
        return request;
      },
    };
    loadSerializationLazily(subject);
    return subject;
  }

  it("are loaded when they are first used, and once", () => {
    const { _load, loaded } = loader({ typescript: { version: "5.9.3" } });
    const typescript = _load("typescript", module(`${sdk}/typescript-shim.js`)) as { version: string };
    expect(loaded).to.deep.equal([]);
    expect([typescript.version, typescript.version, "version" in typescript]).to.deep.equal([
      "5.9.3",
      "5.9.3",
      true,
    ]);
    expect(loaded).to.deep.equal(["typescript"]);
  });

  it("are loaded at once for anyone but the SDK", () => {
    const typescript = { version: "5.9.3" };
    const { _load } = loader({ typescript });
    for (const filename of ["/program/index.js", `${sdk}/cmd/run/run.js`]) {
      expect(_load("typescript", module(filename))).to.equal(typescript);
    }
  });

  it("fail where they are asked for when they are not installed", () => {
    const { _load } = loader({});
    const ask = () => _load("@npmcli/arborist", module(`${sdk}/runtime/closure/codePaths.js`));
    expect(ask).to.throw("Cannot find module '@npmcli/arborist'");
  });

  it("serve every form of a compiled import", () => {
    const real = { Arborist: () => undefined };
    const proxy = lazy(() => real) as { __esModule: boolean; default: unknown; Arborist: unknown };
    expect(proxy.__esModule).to.equal(true);
    expect(proxy.default).to.equal(real);
    expect(proxy.Arborist).to.equal(real.Arborist);
  });
});
