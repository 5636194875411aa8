/** What the pages of reports have in common: they need nothing but themselves. */

export const pageStyle = `body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #d7dce1; }
code { font-size: .9em; overflow-wrap: anywhere; }
`;

/** A table whose cells are HTML already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell) => `<${tag}>${cell}</${tag}>`).join("");
  return `<table>\n<tr>${cells("th", head)}</tr>\n${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}\n</table>`;
}

/** Text as HTML shows it. */
export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? "");
}
