import {
  FIGURES,
  type FigureId,
  type Plot,
  type RoundFigures,
  type SchedulerFigures,
} from '../types';
import { figureText } from './figures';

const FIGURE_IDS = Object.keys(FIGURES) as FigureId[];
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};
const STYLE = `body { font-family: sans-serif; margin: 2em; }
table { border-collapse: collapse; }
th, td { border: 1px solid #ccc; padding: 0.3em 0.6em; text-align: right; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 2em 0; }`;

const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
const links = (files: readonly string[]): string =>
  files.map((file) => `<a href="${escaped(encodeURI(file))}">${escaped(file)}</a>`).join(', ');

function table(header: readonly string[], rows: readonly string[]): string {
  const head = header.map((text) => `<th>${escaped(text)}</th>`).join('');
  return `<table>\n<tr>${head}</tr>\n${rows.join('\n')}\n</table>`;
}

/** A row; each figure also says in its title which raw files it comes from. */
function row(
  names: readonly string[],
  figures: Readonly<Record<FigureId, number | null>>,
  files: readonly string[],
): string {
  const source = escaped(files.join(', '));
  const cells = FIGURE_IDS.map((id) => {
    return `<td title="${source}">${figureText(id, figures[id])}</td>`;
  });
  const first = names.map((name) => `<td>${escaped(name)}</td>`);
  return `<tr>${[...first, ...cells].join('')}<td>${links(files)}</td></tr>`;
}

/** The report as a page; every figure with the raw files that it comes from. */
export function htmlReport(
  medians: readonly SchedulerFigures[],
  rounds: readonly RoundFigures[],
  plots: readonly Plot[],
): string {
  const titles = FIGURE_IDS.map((id) => FIGURES[id].title);
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>Schedulers compared</title><style>${STYLE}</style></head><body>`,
    '<h1>Schedulers compared</h1>',
    '<h2>Medians over the rounds</h2>',
    table(
      ['Scheduler', ...titles, 'Raw files'],
      medians.map(({ scheduler, figures, files }) => row([scheduler], figures, files)),
    ),
    '<h2>Rounds</h2>',
    table(
      ['Scheduler', 'Round', ...titles, 'Raw file'],
      rounds.map((one) => row([one.scheduler, String(one.round)], one.figures, [one.file])),
    ),
    '<h2>Plots</h2>',
    ...plots.map(
      ({ id, title, files }) =>
        `<figure><img src="${escaped(encodeURI(`plots/${id}.svg`))}" alt="${escaped(title)}">` +
        `<figcaption>${escaped(title)}. From ${links(files)}.</figcaption></figure>`,
    ),
    '</body></html>',
    '',
  ].join('\n');
}
