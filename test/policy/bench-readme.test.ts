import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { growthExponent } from '../bench/growth';
import { tableOf, withTable } from '../bench/readme';
import type { StoredResult } from '../bench/report';

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

describe('what the benches write into the README', () => {
  it('has every goal, says which are missed, and how busy the machine was', () => {
    const goal = { what: 'a | b', measured: '3 ms', peer: '—', goal: '<= 2 ms', met: false };
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
      '| what | measured | peer | goal | met |',
      '| --- | --- | --- | --- | --- |',
      '| a \\| b | 3 ms | — | <= 2 ms | **no** |',
      '| a \\| b | 1 ms | — | <= 2 ms | yes |',
      '| a \\| b | not measured: none | — | <= 2 ms | — |',
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
    assert.throws(() => withTable('# top\n', 'new'), /README\.md: .* must be in it/);
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
