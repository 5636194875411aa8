import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { PackageSet } from "../packages";

/** The public certificate authorities, as Debian has them. */
export const certificateSet: PackageSet = {
  name: "ca-certificates",
  include: ["ca-certificates"],
  exclude: ["openssl", "libssl3", "debconf", "libc6", "libgcc-s1", "gcc-12-base", "perl-base", "libcrypt1"],
};

/** One PEM file of all authorities of an unpacked `ca-certificates`, in the order of their names. */
export function certificateBundle(folder: string): string {
  const source = join(folder, "usr/share/ca-certificates/mozilla");
  const files = readdirSync(source).filter((name) => name.endsWith(".crt"));
  return files
    .sort()
    .map((name) => readFileSync(join(source, name), "utf8"))
    .join("");
}
