import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { GOAL_ROWS, type GoalRow } from './goal-rows';
import { median, rounded, type Bench, type BenchResult, type Goal, type Row } from './report';

const GOALS_SECONDS = { up: 15, 'up-warm': 120 } as const satisfies Partial<
  Record<GoalRow, number>
>;
type Measure = keyof typeof GOALS_SECONDS;
/** Set to `1`, the estate is taken down and brought up again, which is timed; without it none is touched. */
const AGAIN = 'BENCH_UP_AGAIN';
const run = promisify(execFile);

/** The checkout whose estate is up: this one, or another that is named. */
const checkout = (): string =>
  process.env['BERTH_ESTATE_CHECKOUT'] ?? path.join(__dirname, '..', '..');

/** `npm run up` of an estate that is up already. It makes none unless asked to: without one there is nothing to measure. */
export const upBench: Bench = {
  what: `npm run up with nothing to change, on the estate that is up; ${AGAIN}=1: after a down from a warm cache as well`,
  async run({ rounds }) {
    const folder = checkout();
    const again = process.env[AGAIN] === '1';
    const warm = again
      ? await timed(rounds, async () => {
          await berth(folder, 'down');
          return () => berth(folder, 'up');
        })
      : `it takes the estate down: ${AGAIN}=1 allows it`;
    const unchanged = (await isUp(folder))
      ? await timed(rounds, async () => async () => {
          const text = await berth(folder, 'up');
          if (!/\bno change\b/.test(text)) throw new Error(`something was changed:\n${text}`);
        })
      : 'no estate is up';
    return resultOf({ up: unchanged, 'up-warm': warm });
  },
};

/** @param make prepares, untimed, what is timed */
async function timed(rounds: number, make: () => Promise<() => Promise<unknown>>) {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const act = await make();
    const startedMs = performance.now();
    await act();
    seconds.push((performance.now() - startedMs) / 1000);
  }
  return seconds;
}

/** @param measured seconds of each round, or why there are none */
function resultOf(measured: Readonly<Record<Measure, readonly number[] | string>>): BenchResult {
  const rows: Row[] = [];
  const goals: Goal[] = [];
  for (const [row, seconds] of Object.entries(measured) as [
    Measure,
    readonly number[] | string,
  ][]) {
    const what = GOAL_ROWS[row];
    const goal = `<= ${GOALS_SECONDS[row]} s`;
    const common = { row, what, peer: '—', ratio: '—', goal };
    if (typeof seconds === 'string') {
      rows.push({ up: what, not_measured: seconds });
      goals.push({ ...common, measured: `not measured: ${seconds}`, met: 'not measured' });
    } else {
      const middle = rounded(median(seconds));
      rows.push({ up: what, seconds: middle });
      goals.push({ ...common, measured: `${middle} s`, met: middle <= GOALS_SECONDS[row] });
    }
  }
  return { rows, raw: measured, goals };
}

const berth = async (folder: string, ...args: readonly string[]): Promise<string> => {
  const program = path.join(folder, 'runtime', 'cli', 'berth.mjs');
  const { stdout, stderr } = await run(process.execPath, [program, ...args], {
    ...{ cwd: folder, env: process.env, maxBuffer: 2 ** 26 },
  });
  return stdout + stderr;
};

/** Whether the cluster of this checkout's estate answers, with nodes. */
async function isUp(folder: string): Promise<boolean> {
  if (!existsSync(path.join(folder, '.berth'))) return false;
  try {
    const text = await berth(folder, 'status', '--json');
    const { nodes } = JSON.parse(text.slice(text.indexOf('{'))) as { nodes?: readonly unknown[] };
    return nodes !== undefined && nodes.length > 0;
  } catch {
    return false;
  }
}
