import { existsSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { AdminClient } from "./api";
import { ProgramStore, programs } from "./builds";
import { declaredComponents, programOf } from "./components";
import type { Component } from "./components/component";
import { ensureFiles, ensureIdentities } from "./configuration";
import { writeIfChanged } from "./files";
import { waitHealthy } from "./health";
import { debianRecipe, goRecipe, type DebianImageName, type GoImageName } from "./images/catalog";
import { RegistryClient } from "./images/registry-client";
import { ImageStore } from "./images/store";
import { kubeconfig } from "./kubeconfig";
import { withLock } from "./lock";
import { applyManifests, waitDeployment, waitDns, waitNode } from "./manifests";
import { ports } from "./network";
import { ensureNode, nodeInit } from "./node";
import { ensureNodeFiles } from "./node-files";
import { nodePackages } from "./node-packages";
import { PackageStore } from "./packages";
import { cacheFolder, clusterPaths, removeUnfinished, type ClusterPaths } from "./paths";
import { claimFolder, requireLinuxRoot, requireResources } from "./preflight";
import { ensureProcess } from "./processes";
import { Progress } from "./progress";

/** Brings the cluster up, or what of it is missing. Safe to repeat, and to start again after it was killed. */
export async function up(progress = new Progress()): Promise<void> {
  requireLinuxRoot();
  const paths = clusterPaths();
  const cache = cacheFolder();
  const wait = (holder: number) =>
    progress.line(`  waiting for process ${holder}, which is changing the cluster`);
  try {
    await withLock(paths.lock, wait, () => claimAndBringUp(paths, cache, progress));
  } catch (error) {
    removeIfEmpty(paths.root); // an `up` that was refused leaves nothing
    throw error;
  }
  progress.line(`The cluster is up after ${progress.elapsed()}: KUBECONFIG=${paths.kubeconfig}`);
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // it holds a cluster
  }
}

async function claimAndBringUp(paths: ClusterPaths, cache: string, progress: Progress): Promise<void> {
  if (nodeInit(paths) === undefined) requireResources(paths, cache, existsSync(join(cache, "images")));
  claimFolder(paths);
  for (const folder of [cache, join(cache, "images")]) removeUnfinished(folder);
  await bringUp({
    paths,
    cache,
    progress,
    packages: new PackageStore(cache),
    programs: new ProgramStore(cache, progress),
    images: new ImageStore(cache, new RegistryClient({ host: "127.0.0.1", port: ports.registry })),
  });
}

interface Context {
  readonly paths: ClusterPaths;
  readonly cache: string;
  readonly progress: Progress;
  readonly packages: PackageStore;
  readonly programs: ProgramStore;
  readonly images: ImageStore;
}

/** Every step starts as soon as those that it needs are done. */
async function bringUp(context: Context): Promise<void> {
  const { paths, cache, progress, packages } = context;
  const all = declaredComponents(paths);
  queueBuilds(context);

  const lower = progress.stage("node packages", (report) => packages.unpack(nodePackages, report));
  const identities = progress.stage("keys and certificates", () => ensureIdentities(paths));
  const debian = prepareDebianImages(context, lower);
  const [folder, pause] = await Promise.all([lower, context.programs.path(programs.pause), identities]);
  await progress.stage("node", async () => {
    await ensureNode(paths, { packages: folder, programs: cache, pause });
    await ensureNodeFiles(paths);
  });

  const client = new AdminClient(paths.pki);
  try {
    const start = async (component: Component, ...needs: Promise<unknown>[]): Promise<void> => {
      await Promise.all(needs);
      const program = programOf(component);
      if (program !== undefined) await context.programs.path(program);
      await startComponent(context, component, await identities, client);
    };
    const etcd = start(all.etcd);
    const containerd = start(all.containerd);
    const registry = start(all.registry);
    const api = start(all.apiserver, etcd);
    const dockerd = start(all.dockerd, containerd);
    const go = (name: GoImageName, ...needs: Promise<unknown>[]) =>
      pushGoImage(context, name, [registry, ...needs]);
    const pauseImage = go("pause");
    const kubelet = start(all.kubelet, api, containerd, pauseImage);
    const rights = api.then(() => applyManifests(client, ["rbac"]));
    // It asks for its node once, and takes the whole filter table into its hands, which dockerd adds chains to.
    const kubeRouter = start(
      all.kubeRouter,
      kubelet.then(() => waitNode(client)),
      rights,
      dockerd,
    );
    const controllers = [
      start(all.controllerManager, api),
      start(all.scheduler, api),
      start(all.kubeProxy, api),
    ];
    const access = Promise.all([api, dockerd]).then(() =>
      writeIfChanged(paths.kubeconfig, kubeconfig(paths.pki, "admin"), 0o600),
    );
    const addons = installAddons(context, client, [
      rights,
      ...controllers,
      kubelet,
      go("coredns"),
      go("localPathProvisioner"),
      pushDebianImage(context, "busybox", registry, debian),
    ]);
    await Promise.all([
      access,
      addons,
      kubeRouter,
      go("metricsServer"),
      go("traefik"),
      go("argoRollouts"),
      go("prometheus"),
      pushDebianImage(context, "postgres", registry, debian),
      pushDebianImage(context, "python", registry, debian),
    ]);
  } finally {
    client.close();
  }
}

/** Asks for every build at once. They run one after the other, those that others wait for first. */
function queueBuilds({ programs: store }: Context): void {
  for (const program of Object.values(programs)) store.path(program).catch(() => undefined); // whoever needs it reports it
}

async function startComponent(
  { paths, progress }: Context,
  component: Component,
  identities: string,
  client: AdminClient,
): Promise<void> {
  const configuration = ensureFiles(paths, component, identities);
  await progress.stage(component.name, async () => {
    await ensureProcess(paths, component, configuration);
    await waitHealthy(component, paths, client);
  });
}

async function pushGoImage(
  context: Context,
  name: GoImageName,
  needs: readonly Promise<unknown>[],
): Promise<void> {
  const { images, progress } = context;
  const recipe = await goRecipe(name, context);
  await Promise.all(needs);
  await progress.stage(`image ${recipe.repository}:${recipe.tag}`, (report) => images.ensure(recipe, report));
}

type Recipes = ReturnType<typeof debianRecipe>;

/** Downloads and unpacks while programs compile, one image after the other. */
function prepareDebianImages(context: Context, after: Promise<unknown>): Map<DebianImageName, Recipes> {
  const { progress } = context;
  const recipes = new Map<DebianImageName, Recipes>();
  let previous: Promise<unknown> = after;
  for (const name of ["busybox", "postgres", "python"] as const) {
    const recipe = previous.then(() =>
      progress.stage(`packages of ${name}`, (report) => debianRecipe(name, context, report)),
    );
    recipe.catch(() => undefined); // whoever pushes the image reports it
    recipes.set(name, recipe);
    previous = recipe;
  }
  return recipes;
}

async function pushDebianImage(
  { images, progress }: Context,
  name: DebianImageName,
  registry: Promise<unknown>,
  recipes: Map<DebianImageName, Recipes>,
): Promise<void> {
  const [recipe] = await Promise.all([recipes.get(name), registry]);
  if (recipe === undefined) throw new Error(`no recipe for ${name}`);
  await progress.stage(`image ${recipe.repository}:${recipe.tag}`, (report) => images.ensure(recipe, report));
}

async function installAddons(
  context: Context,
  client: AdminClient,
  needs: readonly Promise<unknown>[],
): Promise<void> {
  const { progress } = context;
  await Promise.all(needs);
  await progress.stage("DNS and storage", async (report) => {
    await applyManifests(client, ["coredns", "local-path"]);
    await waitNode(client);
    await waitDeployment(client, "kube-system", "coredns", report);
    await waitDns(context.paths);
    await waitDeployment(client, "local-path-storage", "local-path-provisioner", report);
  });
}
