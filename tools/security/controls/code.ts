import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { isMap, isPair, parseDocument, visit } from "yaml";
import { credentialFor } from "../../../policy/frame/credentials";
import { knownStacks } from "../../engine/project";
import { kindOf } from "../../plugins/kubernetes/object";
import { answer, counted, off, Unanswered, type Answer, type Control } from "../control";
import { ownsRepository, onGithub, repositoryOf } from "../repository";

/** What is in the sources, and what is built of them. */
export const codeControls: readonly Control[] = [
  {
    id: "pushes-are-scanned",
    title: "A push with a secret in it is refused",
    against: "A password in the history, which everybody who may read the repository has from then on.",
    where: "components/github/index.ts; policy secret-scanning",
    ask: (evidence) =>
      onGithub(evidence, ["secret-scanning"], async (repository) => {
        const found = scanned.parse(await repository.get(""));
        const { secret_scanning: scanning, secret_scanning_push_protection: protection } =
          found.security_and_analysis ?? {};
        return [
          ...(scanning?.status === "enabled" ? [] : ["secret scanning is not on"]),
          ...(protection?.status === "enabled" ? [] : ["pushes are not refused"]),
        ];
      }),
  },
  {
    id: "known-vulnerabilities-are-told",
    title: "Somebody is told of a dependency with a known hole",
    against: "A hole that everybody knows of but who could close it.",
    where: "components/github/index.ts; policy vulnerability-alerts",
    ask: (evidence) =>
      onGithub(evidence, ["vulnerability-alerts"], async (repository) =>
        (await repository.get("/vulnerability-alerts")) === undefined ? ["alerts are off"] : [],
      ),
  },
  {
    id: "node-dependencies-are-locked",
    title: "Each Node package is the one whose content was seen",
    against: "A package that is replaced in its registry, or that a range lets in.",
    where: "package.json, package-lock.json, npm ci",
    ask(evidence) {
      const { dependencies, devDependencies } = manifest.parse(JSON.parse(evidence.file("package.json")));
      const { packages } = lockFile.parse(JSON.parse(evidence.file("package-lock.json")));
      const ranges = Object.entries({ ...dependencies, ...devDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `package.json: ${name} is ${version}, must be one version`);
      const unlocked = Object.entries(packages)
        .filter(([path, { link, inBundle, integrity }]) => path !== "" && !link && !inBundle && !integrity)
        .map(([path]) => `package-lock.json: ${path} has no integrity`);
      return answer(counted(Object.keys(packages).length - 1, "package"), [...ranges, ...unlocked]);
    },
  },
  {
    id: "python-dependencies-are-locked",
    title: "Each Python package is the one whose content was seen",
    against: "A wheel that is replaced in its index, and built into the image.",
    where: "app/requirements*.lock, pip --require-hashes",
    ask(evidence) {
      const files = readdirSync(join(evidence.sources.root, "app")).filter((name) => name.endsWith(".lock"));
      if (files.length === 0) throw new Unanswered("app/ has no lock file");
      const wrong = files.flatMap((name) =>
        evidence
          .file(`app/${name}`)
          .replaceAll(/\\\n/g, " ")
          .split("\n")
          .filter((line) => /^[A-Za-z0-9]/.test(line) && !/^\S+==\S+ .*--hash=sha256:[0-9a-f]{64}/.test(line))
          .map((line) => `app/${name}: ${line.split(" ")[0]} has no version and hash`),
      );
      return answer(files.map((name) => `app/${name}`).join(", "), wrong);
    },
  },
  {
    id: "go-modules-are-locked",
    title: "Each Go module is the one whose content was seen",
    against: "A module that is replaced where it is fetched from, and built into the cluster or the CLI.",
    where: "tools/**/go.sum",
    ask({ sources: { root } }) {
      const modules = filesBelow(join(root, "tools"), "go.mod");
      const wrong = modules
        .filter((file) => !existsSync(join(root, "tools", dirname(file), "go.sum")))
        .map((file) => `tools/${file} has no go.sum beside it`);
      return answer(counted(modules.length, "go.mod"), wrong);
    },
  },
  {
    id: "manifests-are-locked",
    title: "Upstream manifests are those whose content was seen",
    against: "A definition or an operator that is replaced in its release.",
    where: "components/manifests.lock.json, checked on every read (components/manifest.ts)",
    ask(evidence) {
      const entries = manifests.parse(JSON.parse(evidence.file("components/manifests.lock.json")));
      const files = entries.flatMap(({ name, files: own }) => own.map((file) => ({ name, ...file })));
      const wrong = files
        .filter(({ sha256 }) => !/^[0-9a-f]{64}$/.test(sha256 ?? ""))
        .map(({ name, path }) => `${name}: ${path} has no sum`);
      return answer(`${counted(files.length, "file")} of ${counted(entries.length, "release")}`, wrong);
    },
  },
  {
    id: "settings-hold-no-plain-secret",
    title: "What is secret in the settings is encrypted",
    against: "A password in a file that everybody with the repository has.",
    where: "Pulumi.<stack>.yaml; components/config/settings.ts refuses plain secrets",
    ask(evidence) {
      const files = knownStacks(evidence.sources.root).map((stack) => `Pulumi.${stack}.yaml`);
      return answer(
        files.join(", "),
        files.flatMap((name) => plainSecrets(name, evidence.file(name))),
      );
    },
  },
  {
    id: "state-is-encrypted",
    title: "Secrets in the state are encrypted",
    against: "Who reads the backend, or an archive of it, reads the passwords of what it made.",
    where: "the stack's secrets provider; Secrets are made of secret outputs",
    ask: ({ sources: { state } }) => {
      const provider = state.secretsProvider;
      const encrypted = provider !== undefined && provider !== "b64";
      const open = state.objects.flatMap(({ wanted, secret, urn }) => {
        if (kindOf(wanted) !== "Secret") return [];
        const marked = secret.some(([key]) => key === "data" || key === "stringData");
        return marked ? [] : [`${urn.split("::").at(-1)}: its data is no secret to the engine`];
      });
      return answer(`the state's secrets are encrypted by ${provider ?? "nothing"}`, [
        ...(encrypted ? [] : [`its secrets provider is ${provider ?? "not set"}`]),
        ...open,
      ]);
    },
  },
  {
    id: "no-credentials-in-plain-places",
    title: "No password is in an environment variable, an argument, a ConfigMap or a label",
    against: "Who may look at a Pod or a ConfigMap, which many may, has the password.",
    where: "policy area secrets",
    ask: ({ pack }) =>
      pack.onState(
        "no-plain-secrets-in-env",
        "no-plain-secrets-in-arguments",
        "no-secrets-in-config-maps",
        "no-secrets-in-metadata",
        "no-token-secrets",
      ),
  },
  {
    id: "owners-review-code",
    title: "Every file has an owner who is asked",
    against: "A change to the defences that nobody who knows them has seen.",
    where: ".github/CODEOWNERS",
    ask(evidence): Answer {
      if (!ownsRepository(evidence)) return off(repositoryOf(evidence));
      const lines = evidence
        .file(".github/CODEOWNERS")
        .split("\n")
        .filter((line) => /^[^#\s]/.test(line));
      const owned = lines.map((line) => line.split(/\s+/)).filter(([, ...owners]) => owners.length > 0);
      const missing = ["*", "/policy/", "/.github/"]
        .filter((path) => !owned.some(([pattern]) => pattern === path))
        .map((path) => `${path} has no owner`);
      return answer(`.github/CODEOWNERS, ${counted(lines.length, "line")}`, missing);
    },
  },
];

const status = z.looseObject({ status: z.string() }).optional();
const scanned = z.looseObject({
  security_and_analysis: z
    .looseObject({ secret_scanning: status, secret_scanning_push_protection: status })
    .nullish(),
});
const versions = z.record(z.string(), z.string()).default({});
const manifest = z.looseObject({ dependencies: versions, devDependencies: versions });
const lockFile = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      link: z.boolean().optional(),
      inBundle: z.boolean().optional(),
      integrity: z.string().optional(),
    }),
  ),
});
const manifests = z.array(
  z.looseObject({
    name: z.string(),
    files: z.array(z.looseObject({ path: z.string(), sha256: z.string().optional() })),
  }),
);

function filesBelow(folder: string, name: string): readonly string[] {
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return all.filter((path) => path.split("/").at(-1) === name && !path.includes("node_modules/")).sort();
}

/** Keys whose value is the name of a Secret, which is none itself. */
const namesOfSecrets = ["existingSecret", "secretName"];

/** Texts that look like a credential and are not encrypted, by their keys. */
function plainSecrets(file: string, text: string): readonly string[] {
  const found: string[] = [];
  visit(parseDocument(text), {
    Pair(_, pair, path) {
      const keys = [...path, pair].filter(isPair).map(({ key }) => String(key));
      const name = keys.at(-1) ?? "";
      if (name === "secure" || namesOfSecrets.includes(name) || isMap(pair.value)) return;
      const value = String((pair.value as { value?: unknown } | null)?.value ?? "");
      const what = credentialFor(name, value);
      const misplaced = what ?? (keys.some((key) => key.endsWith(":secrets")) ? "a plain value" : undefined);
      if (misplaced !== undefined) found.push(`${file}: ${keys.slice(1).join(".")} holds ${misplaced}`);
    },
  });
  return found;
}
