import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";

/** A plugin of the project's own, as the CLI's plugin folder names it. */
export interface OwnPlugin {
  /** Such as `resource-random-v4.21.2`. */
  readonly folder: string;
  /** Such as `pulumi-resource-random`. */
  readonly executable: string;
  /** Folder with the executable. */
  readonly launchers: string;
}

/**
 * Makes a folder that is the user's Pulumi home but for its plugins, to which the project's own are added. On PATH
 * they would be found too, but the CLI warns about each plugin on PATH, in every run and several times.
 * The user's home is not touched: with the network open again, official plugins go there as usual.
 *
 * Its folder for logs is no folder, so that the CLI keeps none: it would write down every message of every plugin,
 * which takes as long as all that it does besides. `--logtostderr -v=9` shows them where they are wanted.
 */
export function pluginHome(root: string, userHome: string, plugins: readonly OwnPlugin[]): string {
  const links = new Map<string, string>([["logs", devNull]]);
  for (const name of list(userHome))
    if (!links.has(name) && name !== "plugins") links.set(name, join(userHome, name));
  for (const name of list(join(userHome, "plugins")))
    links.set(`plugins/${name}`, join(userHome, "plugins", name));
  for (const { folder, executable, launchers } of plugins)
    links.set(`plugins/${folder}/${executable}`, join(launchers, executable));

  const digest = createHash("sha256")
    .update(JSON.stringify([...links]))
    .digest("hex")
    .slice(0, 16);
  const home = join(root, ".build/pulumi-home", digest);
  if (existsSync(home)) return home;
  const temporary = `${home}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  for (const [name, target] of links) {
    const path = join(temporary, name);
    mkdirSync(join(path, ".."), { recursive: true });
    symlinkSync(target, path);
  }
  try {
    renameSync(temporary, home);
  } catch (error) {
    // Another process made the same folder in the meantime.
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
  return home;
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
