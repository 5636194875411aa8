import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats } from "node:fs";
import { join, normalize, relative } from "node:path";
import { ignoreRules, type IgnoreRules } from "./ignore";

/**
 * A SHA-256 over everything that a build can see: name, mode and content of each file in the context, and the
 * Dockerfile. It is put together as the official plugin does it, so that both come to the same sum.
 */
export function contextDigest(context: string, dockerfile: string): string {
  const sum = createHash("sha256");
  const add = (name: string, mode: string, content: string | Buffer) => {
    sum.update(name).update(mode).update(createHash("sha256").update(content).digest()).update("\0");
  };
  // Under a fixed name, because a Dockerfile outside of the context is only known by its content.
  add("Dockerfile", "----------", readFileSync(dockerfile));
  for (const path of filesOf(context, rulesFor(context, dockerfile))) {
    const file = join(context, path);
    const stats = lstatSync(file);
    if (stats.isSymbolicLink())
      add(path, modeText(stats), normalize(relative(process.cwd(), realpathSync(file))));
    else add(path, modeText(stats), stats.isFile() ? readFileSync(file) : "");
  }
  return sum.digest("hex");
}

/** Docker's own order: `<Dockerfile>.dockerignore`, else the one in the context. */
function rulesFor(context: string, dockerfile: string): IgnoreRules {
  for (const file of [`${dockerfile}.dockerignore`, join(context, ".dockerignore")]) {
    try {
      return ignoreRules(readFileSync(file, "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return ignoreRules("");
}

function filesOf(context: string, rules: IgnoreRules, folder = ""): string[] {
  const entries = readdirSync(join(context, folder), { withFileTypes: true });
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return entries.flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory()) return rules.ignoresAllOf(path) ? [] : filesOf(context, rules, path);
    return rules.ignores(path) ? [] : [path];
  });
}

/** The mode as `ls -l` shows it, with Go's letters for what is no plain file. */
function modeText(stats: Stats): string {
  const kind = stats.isSymbolicLink() ? "L" : stats.isFIFO() ? "p" : stats.isSocket() ? "S" : "";
  const special = [0o4000, 0o2000, 0o1000]
    .map((bit, index) => (stats.mode & bit ? "ugt"[index] : ""))
    .join("");
  const bits = [...Array(9).keys()]
    .map((bit) => (stats.mode & (1 << (8 - bit)) ? "rwxrwxrwx"[bit] : "-"))
    .join("");
  return `${kind}${special}` === "" ? `-${bits}` : `${kind}${special}${bits}`;
}
