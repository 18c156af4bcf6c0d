import { stringify } from 'csv-stringify/sync';
import { plotsOf } from './plots';
import { figuresOf, mediansOf } from './policy/figures';
import { htmlReport } from './policy/html';
import { markdownReport } from './policy/markdown';
import { parseRounds } from './policy/parse';
import { FIGURES, type RawFile } from './types';

/** Width of the buckets of latency over time. */
export const DEFAULT_BUCKET_SECONDS = 5;

/**
 * The files of a report, by path below its folder: `report.html`, `report.md`, `figures.csv`, `plots/*.svg`. It refers
 * to the raw files by their names.
 * @throws RawDataError naming file and line of everything that cannot be read.
 */
export function buildReport(
  files: readonly RawFile[],
  bucketSeconds = DEFAULT_BUCKET_SECONDS,
): Map<string, string> {
  const rounds = parseRounds(files);
  const figures = rounds.map(figuresOf);
  const medians = mediansOf(figures);
  const plots = plotsOf(rounds, medians, bucketSeconds);
  return new Map([
    ['report.md', markdownReport(medians, figures, plots)],
    ['report.html', htmlReport(medians, figures, plots)],
    ['figures.csv', figuresCsv(figures)],
    ...plots.map(({ id, svg }) => [`plots/${id}.svg`, svg] as const),
  ]);
}

/** The figures of each round, unrounded. */
function figuresCsv(rounds: readonly ReturnType<typeof figuresOf>[]): string {
  const columns = ['file', 'scheduler', 'round', ...Object.keys(FIGURES)];
  return stringify(
    rounds.map(({ figures, ...round }) => ({ ...round, ...figures })),
    { header: true, columns },
  );
}
