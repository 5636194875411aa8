/** Columns that a picture may take. */
export const width = 100;

const codes = { red: 31, green: 32, yellow: 33, blue: 34, grey: 90 } as const;
export type Colour = keyof typeof codes;
export type Paint = (colour: Colour, text: string) => string;

export const paint: Paint = (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m`;
export const plain: Paint = (_colour, text) => text;

/** Breaks a text between words, and a word that is longer than a line wherever the line ends. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  const words = text.split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${columns}}`, "g")) ?? []);
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines;
}

/** Aligned columns under a heading; nothing when there are no rows. The last column takes what room is left. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  shadeLast = (text: string, _row: number) => text,
): string[] {
  if (rows.length === 0) return [];
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0);
  return all.map((row, index) => {
    const cells = row.slice(0, -1).map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2));
    const last = cut(row.at(-1) ?? "", Math.max(8, width - before));
    return (cells.join("") + (index === 0 ? last : shadeLast(last, index - 1))).trimEnd();
  });
}

export function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}
