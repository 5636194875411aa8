import { homedir } from "node:os";
import { join } from "node:path";

/** Folder for what is worth keeping between checkouts, such as the built CLI. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "technova-platform");
}

/** Pulumi's own folder: its downloads, plugins and logins. */
export function pulumiHome(env: NodeJS.ProcessEnv): string {
  return env.PULUMI_HOME || join(homedir(), ".pulumi");
}
