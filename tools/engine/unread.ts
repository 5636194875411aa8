import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { stateDirectory } from "./state";

/** URNs by the backend that has them: two can have a stack of the same name. */
const content = z.record(z.string(), z.array(z.string()));

/**
 * The resources that a settling has entered into a state and not read yet. Should it be killed in between, nothing in
 * the state tells them from others.
 */
export class Unread {
  private readonly path: string;

  constructor(
    private readonly root: string,
    private readonly backend: string,
    stack: string,
  ) {
    this.path = join(stateDirectory(root), `settling-${encodeURIComponent(stack)}.json`);
  }

  get urns(): readonly string[] {
    return this.read()[this.backend] ?? [];
  }

  /** Takes the place of what was remembered; nothing is left to be read with an empty list. */
  remember(urns: readonly string[]): void {
    const { [this.backend]: before, ...others } = this.read();
    if (urns.length === 0 && before === undefined) return;
    const all = urns.length === 0 ? others : { ...others, [this.backend]: urns };
    if (Object.keys(all).length === 0) return rmSync(this.path, { force: true });
    mkdirSync(stateDirectory(this.root), { recursive: true, mode: 0o700 });
    const temporary = `${this.path}.${process.pid}.tmp`;
    writeFileSync(temporary, JSON.stringify(all), { mode: 0o600, flush: true });
    renameSync(temporary, this.path);
  }

  private read(): z.infer<typeof content> {
    try {
      return content.parse(JSON.parse(readFileSync(this.path, "utf8")));
    } catch {
      return {};
    }
  }
}
