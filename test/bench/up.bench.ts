import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { median, rounded, type Bench, type BenchResult, type Goal } from './report';

const GOAL_SECONDS = 15;
const WHAT = 'whole estate: `npm run up` with nothing to change, all of it';
const run = promisify(execFile);

/** The checkout whose estate is up: this one, or another that is named. */
const checkout = (): string =>
  process.env['BERTH_ESTATE_CHECKOUT'] ?? path.join(__dirname, '..', '..');

/** `npm run up` of an estate that is up already. It makes none: without one there is nothing to measure. */
export const upBench: Bench = {
  what: 'npm run up with nothing to change, on the estate that is up',
  async run({ rounds }) {
    const folder = checkout();
    if (!(await isUp(folder))) return notMeasured('no estate is up');
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const startedMs = performance.now();
      const text = await berth(folder, 'up');
      if (!/\bno change\b/.test(text)) throw new Error(`something was changed:\n${text}`);
      seconds.push((performance.now() - startedMs) / 1000);
    }
    const middle = rounded(median(seconds));
    const goal: Goal = {
      ...{ what: WHAT, measured: `${middle} s`, peer: '—', goal: `<= ${GOAL_SECONDS} s` },
      met: middle <= GOAL_SECONDS,
    };
    return { rows: [{ up: WHAT, seconds: middle }], raw: { seconds }, goals: [goal] };
  },
};

function notMeasured(why: string): BenchResult {
  const [measured, goal] = [`not measured: ${why}`, `<= ${GOAL_SECONDS} s`];
  return {
    rows: [{ up: WHAT, not_measured: why }],
    raw: { notMeasured: why },
    goals: [{ what: WHAT, measured, peer: '—', goal, met: 'not measured' }],
  };
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
