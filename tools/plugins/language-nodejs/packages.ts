import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

interface Parameterization {
  readonly name: string;
  readonly version: string;
  /** Base64. */
  readonly value: string;
}

/** The parts of a package.json that matter here. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly pulumi?: {
    readonly resource?: boolean;
    readonly name?: string;
    readonly version?: string;
    readonly server?: string;
    readonly parameterization?: Parameterization;
  };
}

export interface RequiredPackage {
  readonly name: string;
  /** With a leading "v". */
  readonly version: string;
  readonly server: string;
  readonly parameterization?: Parameterization;
}

export interface Dependency {
  readonly name: string;
  readonly version: string;
}

interface Installed {
  readonly manifest: Manifest;
  readonly folder: string;
}

const SDK = "@pulumi/pulumi";

/**
 * The provider plugins that a program needs: those of its dependencies, and of the component packages among them.
 * Only packages that build on the SDK can bring one, so nothing else in node_modules is read.
 */
export function requiredPackages(programDirectory: string): RequiredPackage[] {
  const found: RequiredPackage[] = [];
  visit(programDirectory, ({ manifest }) => {
    if (manifest.pulumi?.resource) found.push(requirement(manifest));
    return SDK in { ...manifest.dependencies, ...manifest.peerDependencies };
  });
  return found;
}

/** Direct dependencies, or with `transitive` all that are installed. */
export function programDependencies(programDirectory: string, transitive: boolean): Dependency[] {
  const found: Dependency[] = [];
  visit(programDirectory, ({ manifest: { name, version } }) => {
    found.push({ name, version });
    return transitive;
  });
  return found;
}

/** Calls `enter` once for each dependency, and goes on to its own dependencies if that returns true. */
function visit(programDirectory: string, enter: (installed: Installed) => boolean): void {
  const program = findManifest(programDirectory);
  if (!program) return;
  const seen = new Set<string>();
  const walk = ({ manifest, folder }: Installed, withDevelopment: boolean) => {
    const wanted = { ...manifest.dependencies, ...manifest.peerDependencies };
    for (const name of Object.keys(withDevelopment ? { ...manifest.devDependencies, ...wanted } : wanted)) {
      const installed = findInstalled(name, folder);
      if (!installed || seen.has(installed.folder)) continue;
      seen.add(installed.folder);
      if (enter(installed)) walk(installed, false);
    }
  };
  walk(program, true);
}

function requirement({ name, version, pulumi }: Manifest): RequiredPackage {
  const plugin = pulumi?.name ?? (name.startsWith("@pulumi/") ? name.slice("@pulumi/".length) : undefined);
  if (!plugin) {
    throw new Error(
      `the package ${name} has a provider plugin but does not name it: its package.json lacks pulumi.name`,
    );
  }
  const wanted = pulumi?.version ?? version;
  return {
    name: plugin,
    version: wanted.startsWith("v") ? wanted : `v${wanted}`,
    server: pulumi?.server ?? "",
    ...(pulumi?.parameterization && { parameterization: pulumi.parameterization }),
  };
}

function findManifest(folder: string): Installed | undefined {
  const manifest = readManifest(folder);
  if (manifest) return { manifest, folder };
  const parent = dirname(folder);
  return parent === folder ? undefined : findManifest(parent);
}

function findInstalled(name: string, from: string): Installed | undefined {
  const folder = join(from, "node_modules", name);
  const manifest = readManifest(folder);
  // The real path, so that a package that is linked to from several places counts once.
  if (manifest) return { manifest, folder: realpathSync(folder) };
  const parent = dirname(from);
  return parent === from ? undefined : findInstalled(name, parent);
}

function readManifest(folder: string): Manifest | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, "package.json"), "utf8");
  } catch {
    return undefined;
  }
  return JSON.parse(text) as Manifest;
}
