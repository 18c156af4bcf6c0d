import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { GOAL_ROWS, summaryOf, type GoalRow } from '../bench/goal-rows';
import type { StoredResult } from '../bench/report';
import { temporaryFolder } from './support/service-process';

const ROOT = path.join(__dirname, '../..');
/** It takes some minutes where nothing else runs, and some 25 where a hundred others do. */
const LIMIT_MS = 2_700_000;
/** Of these rows no peer is there to be measured. */
const WITHOUT_PEER: readonly GoalRow[] = ['up', 'up-warm'];

/** All benches, once: that they run and say what they should. Whether goals are met is for a machine with nothing else to do. */
describe('npm run bench -- --quick', function () {
  this.timeout(LIMIT_MS);
  let folder: string;
  let printed: string;
  let results: ReadonlyMap<string, StoredResult>;

  before(async () => {
    folder = await temporaryFolder('bench');
    printed = await runBench(folder);
    const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
    results = new Map(
      await Promise.all(
        files.map(async (file) => {
          const result = JSON.parse(
            await readFile(path.join(folder, file), 'utf8'),
          ) as StoredResult;
          return [result.name, result] as const;
        }),
      ),
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('leaves the raw figures of every bench, and how busy the machine was', () => {
    const names = ['autoscaler', 'binding', 'choosing', 'extender', 'growth', 'placement'];
    const more = ['prober', 'queries', 'scaler', 'soak', 'up'];
    assert.deepEqual([...results.keys()].sort(), [...names, ...more]);
    for (const { name, options, rows, raw, machine } of results.values()) {
      assert.equal(options.quick, true);
      assert.ok(rows.length > 0 && raw !== undefined, name);
      assert.equal(machine.before.loadAverages.length, 3);
    }
  });

  for (const [row, title] of Object.entries(GOAL_ROWS) as [GoalRow, string][])
    it(`has a row: ${title}`, () => {
      const goals = [...results.values()].flatMap((result) =>
        result.goals.filter((goal) => goal.row === row),
      );
      assert.ok(goals.length > 0);
      for (const { what, measured, met, goal } of goals) {
        const verdict = met === true ? 'goal met' : met === false ? 'GOAL MISSED' : met;
        assert.ok(printed.includes(`${verdict}: ${what}: ${measured} (peer: `), what);
        assert.match(goal, /\d|none twice/);
      }
      const alone = (what: keyof (typeof goals)[0]) => goals.every((one) => one[what] === '—');
      if (!WITHOUT_PEER.includes(row)) {
        assert.ok(!alone('peer') && !alone('ratio'));
        assert.ok(goals.every(({ met }) => met !== 'not measured'));
      } else
        for (const { measured } of goals)
          assert.match(measured, /^not measured: (no estate is up|it takes the estate down)/);
    });

  it('prints a table with a line for each row', () => {
    const rows = summaryOf([...results.values()]);
    assert.equal(rows.length, Object.keys(GOAL_ROWS).length);
    for (const { what, ours, peer, ratio, goal, met } of rows)
      assert.ok(printed.includes(`| ${[what, ours, peer, ratio, goal, met].join(' | ')} |`), what);
  });

  it('says how the cost of every policy and service grows', () => {
    const growth = results.get('growth')?.rows ?? [];
    assert.ok(growth.length > 0);
    for (const row of growth) {
      assert.ok(Number.isFinite(row['exponent']), String(row['growth']));
      for (const nodes of [10, 100, 1000, 5000])
        assert.ok(Number(row[`microseconds_p50_${nodes}`]) > 0, String(row['growth']));
    }
  });
});

/** @returns what it prints. @throws with the end of what it said when it does not end well */
async function runBench(folder: string): Promise<string> {
  const args = [path.join(ROOT, 'test/bench/run.ts'), '--quick', '--results', folder];
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    // No estate is up there.
    env: { ...process.env, BERTH_ESTATE_CHECKOUT: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [printed, progress, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ]);
  assert.equal(code, 0, `${printed.slice(-4000)}\n${progress.slice(-4000)}`);
  return printed;
}
