import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "../files";
import { writeLayer, type LayerEntry } from "./layer";
import { configBytes, digestOf, manifestBytes, mediaTypes, type Blob, type ImageConfig } from "./layout";
import type { RegistryClient } from "./registry-client";

/** An image of one layer, to be built once and pushed whenever the registry lacks it. */
export interface ImageRecipe {
  /** Where it is pushed: `<registry host>/<repository>` below the mirror. */
  readonly repository: string;
  readonly tag: string;
  /** Changes whenever the content does. */
  readonly key: string;
  readonly config: ImageConfig;
  readonly entries: (report: (text: string) => void) => Promise<readonly LayerEntry[]>;
}

interface StoredImage {
  readonly layer: { readonly digest: string; readonly size: number };
}

/** Built layers, kept in the cache by the key of their recipe. */
export class ImageStore {
  constructor(
    private readonly cache: string,
    private readonly registry: RegistryClient,
  ) {}

  /** Builds the image if need be and makes sure that the registry serves it; returns its digest. */
  async ensure(recipe: ImageRecipe, report: (text: string) => void): Promise<string> {
    const folder = join(this.cache, "images", imageFolder(recipe));
    const layerFile = join(folder, "layer.tar");
    const stored =
      readJson<StoredImage>(join(folder, "image.json")) ?? (await this.build(recipe, folder, report));
    const layer: Blob = { ...stored.layer, mediaType: mediaTypes.layer, path: layerFile };
    const config = configBytes(recipe.config, [layer.digest]);
    const configFile = join(folder, "config.json");
    writeFileSync(configFile, config);
    const configBlob: Blob = {
      mediaType: mediaTypes.config,
      digest: digestOf(config),
      size: config.length,
      path: configFile,
    };
    const manifest = manifestBytes(configBlob, [layer]);
    const digest = digestOf(manifest);
    if ((await this.registry.digest(recipe.repository, recipe.tag)) !== digest) {
      report(`pushing ${recipe.repository}:${recipe.tag}`);
      await this.registry.push(
        recipe.repository,
        recipe.tag,
        [layer, configBlob],
        manifest,
        mediaTypes.manifest,
      );
    }
    return digest;
  }

  private async build(
    recipe: ImageRecipe,
    folder: string,
    report: (text: string) => void,
  ): Promise<StoredImage> {
    report(`building ${recipe.repository}:${recipe.tag}`);
    const temporary = `${folder}.${process.pid}.tmp`;
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true });
    const layer = await writeLayer(await recipe.entries(report), join(temporary, "layer.tar"));
    const stored: StoredImage = { layer };
    writeFileSync(join(temporary, "image.json"), JSON.stringify(stored));
    if (existsSync(folder)) rmSync(folder, { recursive: true });
    renameSync(temporary, folder);
    return stored;
  }
}

function imageFolder(recipe: ImageRecipe): string {
  const name = recipe.repository.split("/").at(-1) ?? recipe.repository;
  const hash = createHash("sha256").update(`${recipe.repository}\n${recipe.key}`).digest("hex").slice(0, 16);
  return `${name}-${recipe.tag}-${hash}`;
}
