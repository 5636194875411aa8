import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { bundlePolicyPack } from "../../policy/bundle";
import { preparePlugins } from "../plugins";
import { pulumiHome } from "./cache";
import { onPath, type Cli } from "./cli";
import { pulumiDownloads, reachable } from "./network";
import { pluginHome } from "./pluginHome";

/** A provider package that the program uses. */
export interface ProviderPackage {
  readonly name: string;
  readonly version: string;
}

export interface Plugins {
  /** For PULUMI_HOME; undefined when every plugin is an official one. */
  readonly home?: string;
  /** Whether the CLI may download what is missing. */
  readonly downloads: boolean;
  /** Folder of the policy pack, if it is the bundled one, whose runner is in `home`. */
  readonly policyPack?: string;
  /** One line for the user. */
  readonly description: string;
}

const manifest = z.object({
  version: z.string(),
  pulumi: z
    .object({ resource: z.boolean().optional(), name: z.string().optional(), version: z.string().optional() })
    .optional(),
});

/** The provider packages among the installed dependencies. */
export function providerPackages(root: string): ProviderPackage[] {
  const scope = join(root, "node_modules/@pulumi");
  return readdirSync(scope).flatMap((folder) => {
    const path = join(scope, folder, "package.json");
    if (!existsSync(path)) return [];
    const { pulumi, version } = manifest.parse(JSON.parse(readFileSync(path, "utf8")));
    if (pulumi?.resource !== true || pulumi.name === undefined) return [];
    return [{ name: pulumi.name, version: (pulumi.version ?? version).replace(/^v/, "") }];
  });
}

/**
 * Decides for each plugin whether the official one can be had, and prepares the project's own for the rest.
 * The network is asked only when something is missing.
 */
export async function choosePlugins(root: string, cli: Cli, env: NodeJS.ProcessEnv): Promise<Plugins> {
  const host = "pulumi-language-nodejs";
  const languageHost = onPath(host, env) === undefined && !existsSync(join(dirname(cli.path), host));
  const missing = providerPackages(root).filter((provider) => !isInstalled(provider, env));
  const downloads = missing.length === 0 || (await reachable(pulumiDownloads));
  const own = downloads ? [] : missing;
  if (!languageHost && own.length === 0) return { downloads, description: "plugins: official" };
  const launchers = await preparePlugins({ packages: own.map((provider) => provider.name), languageHost });
  const plugins = own.map(({ name, version }) => ({
    folder: `resource-${name}-v${version}`,
    executable: `pulumi-resource-${name}`,
    launchers,
  }));
  if (languageHost) plugins.push({ folder: `language-nodejs-v${cli.version}`, executable: host, launchers });
  const pack = await bundlePolicyPack();
  plugins.push({ folder: pack.plugin, executable: pack.executable, launchers: pack.path });
  const names = [...(languageHost ? ["language host"] : []), ...own.map((provider) => provider.name)];
  return {
    home: pluginHome(root, pulumiHome(env), plugins),
    policyPack: pack.folder,
    downloads,
    description: `plugins: the project's own for ${names.join(", ")}`,
  };
}

/** On PATH or in Pulumi's plugin folder, in the version that the program was written for. */
function isInstalled({ name, version }: ProviderPackage, env: NodeJS.ProcessEnv): boolean {
  const installed = join(
    pulumiHome(env),
    "plugins",
    `resource-${name}-v${version}`,
    `pulumi-resource-${name}`,
  );
  return existsSync(installed) || onPath(`pulumi-resource-${name}`, env) !== undefined;
}
