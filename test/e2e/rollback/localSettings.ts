import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout, npmOk } from "../support/command";

/** The local stack's own file, changed as a person would, and put back in the end. */
export class LocalSettings {
  private readonly path = join(checkout, "Pulumi.local.yaml");
  private readonly original = readFileSync(this.path, "utf8");

  edit(pattern: RegExp, replacement: string): void {
    const text = readFileSync(this.path, "utf8");
    if (!pattern.test(text)) throw new Error(`${this.path} has nothing that matches ${pattern}:\n${text}`);
    writeFileSync(this.path, text.replace(pattern, replacement));
  }

  async setSecret(name: string, value: string): Promise<void> {
    const key = `technova:secrets.${name}`;
    await npmOk("pulumi", "config", "set", "--secret", "--path", key, value, "--stack", "local");
  }

  restore(): void {
    writeFileSync(this.path, this.original);
  }
}
