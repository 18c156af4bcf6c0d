import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { summaryOf, type SummaryRow } from './goal-rows';
import { RESULTS, type Goal, type Row, type StoredResult } from './report';

const ROOT = path.join(__dirname, '..', '..');
const README = path.join(ROOT, 'README.md');
const DETAILS = path.join(ROOT, 'docs', 'performance.md');
const BEGIN = '<!-- bench: npm run bench -- --readme -->';
const END = '<!-- bench end -->';

/**
 * Writes what the last full runs have left: a line for each row into the README, every goal, growth, and how busy the
 * machine was into docs/performance.md, each between its markers. @throws when there are none
 */
export async function writeReadme(): Promise<void> {
  const results = await storedResults();
  await replace(README, summaryTable(summaryOf(results)));
  await replace(DETAILS, tableOf(results));
}

async function replace(file: string, table: string): Promise<void> {
  await writeFile(file, withTable(await readFile(file, 'utf8'), table));
}

/** A line for each row of all goals. */
export const summaryTable = (rows: readonly SummaryRow[]): string =>
  table(
    ['what', 'ours', 'peer', 'ratio', 'goal', 'met'],
    rows.map(({ what, ours, peer, ratio, goal, met }) => [what, ours, peer, ratio, goal, met]),
  );

/** What full runs have left; quick ones are not to be quoted. @throws when there is nothing to quote */
async function storedResults(): Promise<StoredResult[]> {
  const files = await readdir(RESULTS).catch(() => []);
  const all = await Promise.all(
    files
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map(async (file) => {
        const text = await readFile(path.join(RESULTS, file), 'utf8');
        return JSON.parse(text) as StoredResult;
      }),
  );
  const full = all.filter(({ options }) => !options.quick);
  if (full.length === 0)
    throw new Error('no full run to write about: npm run bench, without --quick, comes first');
  return full;
}

/** The text with the table between its markers, in place of what was there. @throws when a marker is missing */
export function withTable(text: string, table: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`"${BEGIN}" and "${END}" must be in it`);
  return `${text.slice(0, from)}${BEGIN}\n\n${table}\n\n${text.slice(to)}`;
}

/** Goals, then growth, and how busy the machine was for each bench. */
export function tableOf(results: readonly StoredResult[]): string {
  const goals = results.flatMap((result) => result.goals ?? []);
  const growth = results.flatMap(({ rows }) => rows.filter((row) => 'growth' in row));
  const parts = [
    goals.length > 0 &&
      table(['what', 'measured', 'peer', 'ratio', 'goal', 'met'], goals.map(cellsOfGoal)),
    growth.length > 0 && table(headOf(growth), growth.map(Object.values)),
    results.map(conditionsOf).join('\n'),
  ];
  return parts.filter((part) => part !== false).join('\n\n');
}

const cellsOfGoal = ({ what, measured, peer, ratio, goal, met }: Goal): string[] => [
  ...[what, measured, peer, ratio, goal],
  met === true ? 'yes' : met === false ? '**no**' : '—',
];

const headOf = ([first = {}]: readonly Row[]): string[] =>
  Object.keys(first).map((name) => name.replaceAll('_', ' '));

const conditionsOf = ({ name, options, machine, tookSeconds }: StoredResult): string =>
  `- \`--only ${name}\`: ${options.rounds} rounds in ${tookSeconds} s; ${machine.before.processors} processors, ` +
  `load average ${machine.before.loadAverages[0]} when it began`;

const table = (head: readonly string[], lines: readonly (readonly unknown[])[]): string =>
  [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
