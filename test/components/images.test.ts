import { expect } from "chai";
import { imageReference, images, type ImageName } from "../../components/images";

describe("images", () => {
  const names = Object.keys(images) as ImageName[];

  it("each have a version that stays what it is", () => {
    for (const name of names) expect(images[name].version, name).to.match(/\d/).and.not.to.equal("latest");
  });

  it("come from upstream unless a mirror has them", () => {
    expect(imageReference("traefik")).to.equal("docker.io/library/traefik:v3.6.12");
    expect(imageReference("traefik", { mirror: "localhost:5050" })).to.equal(
      "localhost:5050/docker.io/library/traefik:v3.6.12",
    );
  });

  it("are named by their digest where the stack knows it", () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    for (const name of names)
      expect(imageReference(name, { digests: { [name]: digest } })).to.match(/@sha256:abab/);
  });
});
