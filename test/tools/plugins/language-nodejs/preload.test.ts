import { expect } from "chai";
import { rememberFrames } from "../../../../tools/plugins/language-nodejs/preload";

/** A frame of a stack, as far as these tests need one. */
const frame = (position: string) => ({ toString: () => position }) as NodeJS.CallSite;

describe("language host: stacks", () => {
  it("are what they were, with each frame translated once", () => {
    const translated: string[] = [];
    const translate = (error: Error, frames: NodeJS.CallSite[]) =>
      `${error.name}: ${error.message}` +
      frames
        .map((each) => {
          translated.push(each.toString());
          return `\n    at ${each.toString().replace(".js", ".ts")}`;
        })
        .join("");
    const remembering = rememberFrames(translate);
    const last = frame("g (b.js:3:4)");
    const frames = [frame("f (a.js:1:2)"), last];
    const error = new TypeError("a\nmessage");
    expect(remembering(error, frames)).to.equal(
      "TypeError: a\nmessage\n    at f (a.ts:1:2)\n    at g (b.ts:3:4)",
    );
    expect(remembering(new Error("other"), [last])).to.equal("Error: other\n    at g (b.ts:3:4)");
    expect(translated).to.deep.equal(["f (a.js:1:2)", "g (b.js:3:4)"]);
  });
});
