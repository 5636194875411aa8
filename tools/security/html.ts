import { escaped, pageStyle, table } from "../engine/html";
import { layers, type Layer } from "./control";
import { summary, type Report } from "./render";
import type { Judged } from "./judge";

/** One page that needs nothing else: the layers, and every control with what was found. */
export function toHtml({ stack, at, judged }: Report): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Defences of ${escaped(stack)}</title>
<style>
${pageStyle}.fails { color: #b3261e; font-weight: 600; } .unknown, .excepted { color: #8a5a00; }
.holds { color: #1a7f37; } .off { color: #59636e; }
</style>
</head>
<body>
<h1>Defences of ${escaped(stack)}</h1>
<p>${escaped(summary(judged))}; ${escaped(at)}.</p>
${(Object.keys(layers) as Layer[])
  .map((layer) =>
    section(
      layers[layer],
      judged.filter((each) => each.layer === layer),
    ),
  )
  .join("\n")}
</body>
</html>
`;
}

function section(title: string, judged: readonly Judged[]): string {
  const rows = judged.map(({ verdict, control, evidence, details }) => [
    `<span class="${verdict}">${verdict}</span>`,
    `<a id="${control.id}"></a>${escaped(control.title)}<br><code>${control.id}</code>`,
    escaped(control.against),
    escaped(control.where),
    [evidence, ...details].map(escaped).join("<br>"),
  ]);
  const head = ["verdict", "control", "against", "enforced by", "evidence"];
  return `<h2>${escaped(title)}</h2>\n<p>${escaped(summary(judged))}.</p>\n${table(head, rows)}`;
}
