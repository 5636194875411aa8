import { expect } from "chai";
import { ApiError, ConnectionError } from "../../../../../tools/plugins/kubernetes/cluster/errors";
import { retryDelay, warnings } from "../../../../../tools/plugins/kubernetes/cluster/transport";

describe("transport", () => {
  const GET = { method: "GET" } as const;
  const POST = { method: "POST" } as const;

  it("waits as long as a busy server says, or longer each time", () => {
    expect(retryDelay(new ApiError(429, "", "", {}, 3), GET, 0)).to.equal(3000);
    expect([0, 1, 2].map((attempt) => retryDelay(new ApiError(429, "", ""), POST, attempt))).to.deep.equal([
      200, 400, 800,
    ]);
    expect(retryDelay(new ApiError(503, "", "", {}, 1), POST, 0)).to.equal(1000);
    expect(retryDelay(new ApiError(500, "", "etcdserver: leader changed"), GET, 0)).to.equal(200);
  });

  it("takes a refusal for an answer", () => {
    for (const code of [400, 401, 403, 404, 409, 422, 500, 503]) {
      expect(retryDelay(new ApiError(code, "", "no"), GET, 0)).to.equal(undefined);
    }
  });

  it("repeats a creation only if it cannot have happened", () => {
    expect(retryDelay(new ConnectionError("", true), POST, 0)).to.equal(200);
    expect(retryDelay(new ConnectionError("", false), POST, 0)).to.equal(undefined);
    expect(retryDelay(new ConnectionError("", false), { method: "PATCH" }, 0)).to.equal(200);
  });

  it("reads the warnings of the API server", () => {
    const header = '299 - "v1beta1 is deprecated, use v1", 299 - "would violate \\"restricted\\""';
    expect(warnings(header)).to.deep.equal(["v1beta1 is deprecated, use v1", 'would violate "restricted"']);
    expect(warnings(undefined)).to.deep.equal([]);
  });
});
