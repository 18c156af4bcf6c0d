import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import type { Bench as TinyBench } from 'tinybench';
import type { GoalRow } from './goal-rows';

/** One line of a result: what was measured, with units in the names of the figures. */
export type Row = Readonly<Record<string, string | number>>;

/** How a bench is run. */
export interface BenchOptions {
  /** Interleaved rounds of ours and the peers; figures are medians over them. */
  readonly rounds: number;
  /** Less of everything: to see that it runs, not to quote. */
  readonly quick: boolean;
  /** Nodes of the benches that let one choose; undefined: as each has it. */
  readonly nodes?: number | undefined;
}

/** A figure that has a goal. */
export interface Goal {
  /** The line of the table of all goals that it belongs to. */
  readonly row: GoalRow;
  readonly what: string;
  /** With its unit. */
  readonly measured: string;
  /** What the peer did in the same run; a dash without one. */
  readonly peer: string;
  /** Ours to that of the peer, as the figures of a round are compared; a dash without one. */
  readonly ratio: string;
  readonly goal: string;
  /** "not measured" where there was nothing to measure; `measured` says why. */
  readonly met: boolean | 'not measured';
}

/** What a bench found out. */
export interface BenchResult {
  /** What is printed. */
  readonly rows: readonly Row[];
  /** Figures that have goals, as far as they were measured. */
  readonly goals?: readonly Goal[];
  /** What goes into the file beside it. */
  readonly raw: unknown;
}

/** A bench of the registry. */
export interface Bench {
  /** What it measures, and against what. */
  readonly what: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The value below which this share (0..1) of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Three significant digits: more is noise. */
export const rounded = (value: number): number => Number(value.toPrecision(3));

/** For how long each case is called, and before that to warm up. */
export const timesOf = (quick: boolean, fullMs = 500) =>
  quick ? { time: 50, warmupTime: 20 } : { time: fullMs };

/** A row for each case of a finished run: how long one call takes. @throws when a case failed. */
export function latencyRows(bench: TinyBench): Row[] {
  return bench.tasks.map(({ name, result }) => {
    if (result === undefined || !('latency' in result) || result.latency === undefined)
      throw new Error(`${name}: it did not run`);
    const { p50, p99 } = result.latency;
    return {
      case: name,
      microseconds_p50: rounded((p50 ?? NaN) * 1000),
      microseconds_p99: rounded((p99 ?? NaN) * 1000),
    };
  });
}

/** What else the machine was doing. */
const machine = () => ({
  node: process.version,
  processors: cpus().length,
  model: cpus()[0]?.model ?? 'unknown',
  loadAverages: loadavg().map(rounded),
});

/** Where each bench leaves what it measured; quick ones apart, so that they are never taken for it. */
export const RESULTS = path.join(__dirname, 'results');
export const QUICK_RESULTS = path.join(RESULTS, 'quick');

/** What is left of a run. */
export interface StoredResult extends Required<BenchResult> {
  readonly name: string;
  readonly options: BenchOptions;
  readonly tookSeconds: number;
  readonly machine: Readonly<Record<'before' | 'after', ReturnType<typeof machine>>>;
}

/** Runs a bench, prints its rows, and writes the raw figures to a folder. */
export async function report(
  name: string,
  bench: Bench,
  options: BenchOptions,
  folder: string,
): Promise<StoredResult> {
  const before = machine();
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(`${name}: ${bench.what}`);
  print(
    `${before.processors} processors (${before.model}), load ${before.loadAverages.join(' ')}, ` +
      `${options.rounds} rounds${options.quick ? ', quick: not to be quoted' : ''}`,
  );
  const startedMs = performance.now();
  const { rows, raw, goals = [] } = await bench.run(options);
  const tookSeconds = rounded((performance.now() - startedMs) / 1000);
  for (const row of rows) {
    print(
      `  ${Object.entries(row)
        .map(([what, value]) => `${what}: ${value}`)
        .join('  ')}`,
    );
  }
  for (const { what, measured, peer, ratio, goal, met } of goals)
    print(
      `  ${met === true ? 'goal met' : met === false ? 'GOAL MISSED' : met}: ${what}: ${measured} (peer: ${peer}; ratio: ${ratio}; goal: ${goal})`,
    );
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${name}.json`);
  const result: StoredResult = {
    ...{ name, options, tookSeconds, machine: { before, after: machine() } },
    ...{ goals, rows, raw },
  };
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
  print(`  took ${tookSeconds} s; raw figures: ${path.relative(process.cwd(), file)}`);
  return result;
}
