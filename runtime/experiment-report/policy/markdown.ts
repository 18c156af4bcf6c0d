import {
  FIGURES,
  type FigureId,
  type Plot,
  type RoundFigures,
  type SchedulerFigures,
} from '../types';
import { figureText } from './figures';

const FIGURE_IDS = Object.keys(FIGURES) as FigureId[];

/** Text in a cell of a table, or between brackets. */
const plain = (text: string): string => text.replace(/[\\|[\]<>]/g, '\\$&').replace(/\n/g, ' ');
const link = (file: string): string => `[${plain(file)}](<${file}>)`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The report as Markdown; every figure with the raw files that it comes from. */
export function markdownReport(
  medians: readonly SchedulerFigures[],
  rounds: readonly RoundFigures[],
  plots: readonly Plot[],
): string {
  const titles = FIGURE_IDS.map((id) => FIGURES[id].title);
  return [
    '# Schedulers compared',
    '## Medians over the rounds',
    table(
      ['Scheduler', ...titles, 'Raw files'],
      medians.map(({ scheduler, figures, files }) => [
        plain(scheduler),
        ...FIGURE_IDS.map((id) => figureText(id, figures[id])),
        files.map(link).join(', '),
      ]),
    ),
    '## Rounds',
    table(
      ['Scheduler', 'Round', ...titles, 'Raw file'],
      rounds.map(({ scheduler, round, figures, file }) => [
        plain(scheduler),
        String(round),
        ...FIGURE_IDS.map((id) => figureText(id, figures[id])),
        link(file),
      ]),
    ),
    '## Plots',
    ...plots.flatMap(({ id, title, files }) => [
      `![${plain(title)}](<plots/${id}.svg>)`,
      `From ${files.map(link).join(', ')}.`,
    ]),
    '',
  ].join('\n\n');
}
