import { z } from "zod";
import { ProgramStore } from "../builds";
import { ports } from "../network";
import { PackageStore } from "../packages";
import { cacheFolder } from "../paths";
import { Progress } from "../progress";
import { goRecipe, type OptionalImageName } from "./catalog";
import { RegistryClient } from "./registry-client";
import { ImageStore } from "./store";

/** A component that is asked for: its key is there, and does not say `enabled: false`. */
const asked = z.looseObject({ enabled: z.literal(true).optional() });

/** What a stack asks for, by its settings, and the images that it takes. */
const wanted: readonly { settings: z.ZodType; images: readonly OptionalImageName[] }[] = [
  {
    settings: z.looseObject({ "technova:monitoring": z.looseObject({ alertmanager: asked }) }),
    images: ["alertmanager"],
  },
  {
    settings: z.looseObject({ "technova:monitoring": z.looseObject({ logs: asked }) }),
    images: ["loki", "promtail"],
  },
  {
    settings: z.looseObject({ "technova:sealedSecrets": asked }),
    images: ["sealedSecrets"],
  },
];

/** Images that a stack needs besides those that every cluster has; settings that are wrong need none. */
export function optionalImages(config: unknown): OptionalImageName[] {
  return wanted.flatMap(({ settings, images }) => (settings.safeParse(config).success ? images : []));
}

/** Makes sure that the embedded cluster's registry has them; the first time they are built, which takes minutes. */
export async function ensureOptionalImages(names: readonly OptionalImageName[]): Promise<void> {
  if (names.length === 0) return;
  const cache = cacheFolder();
  const registry = new RegistryClient({ host: "127.0.0.1", port: ports.registry });
  // What is there already is not worth a line.
  const progress = new Progress(
    (line) => void (/^ +0\.\d s /.test(line) || process.stderr.write(`${line}\n`)),
  );
  const sources = { packages: new PackageStore(cache), programs: new ProgramStore(cache, progress) };
  const store = new ImageStore(cache, registry);
  for (const name of names) {
    const recipe = await goRecipe(name, sources);
    await progress.stage(`image ${recipe.repository}:${recipe.tag}`, (report) =>
      store.ensure(recipe, report),
    );
  }
}
