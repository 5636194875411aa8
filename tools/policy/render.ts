import type { Checked } from "./check";

/** What was found, in words: what, where, why, and how to mend it. */
export function render(checked: Checked): string {
  const { findings, messages, objects, policies } = checked;
  const blocks = messages.map(({ file, line, policy, text }) => {
    const place = [file || "all files", ...(line === undefined ? [] : [line])].join(":");
    return `${place}  [${policy.severity}] ${policy.name}\n${policy.description}\n${text}\n`;
  });
  const excepted = findings.filter(({ status }) => status === "excepted");
  const exceptions = excepted.map(
    ({ policy, resource, exception }) =>
      `excepted: ${resource} from ${policy} until ${exception?.expires}, ${exception?.owner}: ${exception?.reason}\n`,
  );
  const count = findings.length - excepted.length;
  const summary = `${counted(count, "finding")} in ${counted(objects, "object")}, ${policies} policies\n`;
  return [...blocks, ...new Set(exceptions), summary].join("\n");
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** 0 clean, 1 findings, 2 something could not be read. */
export function exitCodeOf({ findings, unreadable }: Checked): number {
  if (unreadable.length > 0) return 2;
  return findings.some(({ status, level }) => status !== "excepted" && level !== "advisory") ? 1 : 0;
}
