import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { growthExponent } from '../bench/growth';
import { GOAL_ROWS, summaryOf, type SummaryRow } from '../bench/goal-rows';
import { tableOf, withTable } from '../bench/readme';
import type { Goal, StoredResult } from '../bench/report';

const machine = { node: 'v20', processors: 2, model: 'some', loadAverages: [1.5, 1, 1] };
const result = (more: Partial<StoredResult>): StoredResult => ({
  name: 'some',
  options: { rounds: 5, quick: false },
  tookSeconds: 12,
  machine: { before: machine, after: machine },
  goals: [],
  rows: [],
  raw: undefined,
  ...more,
});

const GOAL: Goal = {
  ...{ row: 'prober', what: 'a', measured: '3 ms', peer: '1 ms, other', ratio: '3 x' },
  ...{ goal: '<= 2 ms', met: false },
};

describe('the line of each row that has goals', () => {
  const lineOf = (...goals: Goal[]): SummaryRow | undefined =>
    summaryOf([result({ goals })]).find(({ what }) =>
      [GOAL_ROWS.prober, ...goals.map((goal) => goal.what)].includes(what),
    );

  it('is there for every row, and says when nothing was measured', () => {
    const rows = summaryOf([]);
    assert.deepEqual(
      rows.map(({ what }) => what),
      Object.values(GOAL_ROWS),
    );
    assert.ok(rows.every(({ ours }) => ours === 'not measured'));
  });

  it('has the peer and the ratio of the one goal there is, met, missed, or not measured', () => {
    const { ours, peer, ratio, goal, met } = lineOf(GOAL) ?? assert.fail();
    assert.deepEqual([ours, peer, ratio, goal], ['3 ms', '1 ms, other', '3 x', '<= 2 ms']);
    assert.equal(met, '**missed**');
    assert.equal(lineOf({ ...GOAL, met: true })?.met, 'met');
    assert.equal(lineOf({ ...GOAL, met: 'not measured' })?.met, 'not measured');
  });

  it('never hides a goal that was missed behind one that was met', () => {
    const met: Goal = { ...GOAL, what: 'well', met: true };
    const line = lineOf(met, { ...GOAL, what: 'not well' }, met) ?? assert.fail();
    assert.deepEqual([line.what, line.met], ['not well', '**missed** (2 of 3 met)']);
    assert.equal(lineOf(met, met)?.met, 'met (2 of 2 met)');
    assert.equal(lineOf(met, { ...met, met: 'not measured' })?.met, 'met (1 of 2 met)');
  });
});

describe('what the benches write into README and documents', () => {
  it('has every goal, says which are missed, and how busy the machine was', () => {
    const goal = { ...GOAL, what: 'a | b' };
    const text = tableOf([
      result({
        goals: [
          goal,
          { ...goal, measured: '1 ms', met: true },
          { ...goal, measured: 'not measured: none', met: 'not measured' },
        ],
      }),
      result({
        name: 'other',
        rows: [{ growth: 'policy', microseconds_p50_10: 4, exponent: 0.9 }],
      }),
    ]);
    assert.deepEqual(text.split('\n'), [
      '| what | measured | peer | ratio | goal | met |',
      '| --- | --- | --- | --- | --- | --- |',
      '| a \\| b | 3 ms | 1 ms, other | 3 x | <= 2 ms | **no** |',
      '| a \\| b | 1 ms | 1 ms, other | 3 x | <= 2 ms | yes |',
      '| a \\| b | not measured: none | 1 ms, other | 3 x | <= 2 ms | — |',
      '',
      '| growth | microseconds p50 10 | exponent |',
      '| --- | --- | --- |',
      '| policy | 4 | 0.9 |',
      '',
      '- `--only some`: 5 rounds in 12 s; 2 processors, load average 1.5 when it began',
      '- `--only other`: 5 rounds in 12 s; 2 processors, load average 1.5 when it began',
    ]);
  });

  it('replaces what stood between the markers, and nothing else', () => {
    const before =
      '# top\n\n<!-- bench: npm run bench -- --readme -->\nold\n<!-- bench end -->\n\nrest\n';
    const once = withTable(before, 'new');
    assert.equal(
      once,
      '# top\n\n<!-- bench: npm run bench -- --readme -->\n\nnew\n\n<!-- bench end -->\n\nrest\n',
    );
    assert.equal(withTable(once, 'new'), once);
    assert.throws(() => withTable('# top\n', 'new'), /must be in it/);
  });
});

describe('the exponent of growth', () => {
  it('is found again in costs that grow by it', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 3, noNaN: true }),
        fc.double({ min: 0.001, max: 1000, noNaN: true }),
        (exponent, factor) => {
          const points = [10, 100, 1000, 5000].map(
            (size) => [size, factor * size ** exponent] as const,
          );
          assert.ok(Math.abs(growthExponent(points) - exponent) < 1e-6);
        },
      ),
    );
  });
});
