import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  bestOf,
  extenderScores,
  leastAnswered,
} from '../../../runtime/latency-extender/policy/extender-score';
import { cpuPenaltyOf, scoreOf } from '../../../runtime/latency-extender/policy/score';
import { SETTINGS } from './support';

const RUNS = { seed: 42, numRuns: 300 };
const ratio = fc.double({ min: 0, max: 1, noNaN: true });
const score = (cpuRatio: number, latencyRatio: number) => scoreOf(cpuRatio, latencyRatio, SETTINGS);

describe('latency-extender: score', () => {
  const table: [cpuRatio: number, latencyRatio: number, expected: number][] = [
    [0, 0, 1],
    [0.5, 0.2, 0.15 + 0.56],
    [0.2, 0.5, 0.24 + 0.35],
    [0.69, 0, 0.093 + 0.7],
    [0.7, 0, 0.09 + 0.7 - 0.15],
    [0.85, 0, 0.045 + 0.7 - 0.15],
    [0.86, 0, 0.042 + 0.7],
    [1, 1, 0],
    [0.8, 1, 0],
  ];
  for (const [cpuRatio, latencyRatio, expected] of table)
    it(`is ${expected.toFixed(3)} at CPU ${cpuRatio} and latency ${latencyRatio}`, () => {
      assert.ok(Math.abs(score(cpuRatio, latencyRatio) - expected) < 1e-12);
    });

  it('takes exactly the penalty from CPU 0.70 to 0.85, and nothing beside it', () => {
    for (const [cpuRatio, expected] of [
      [0.6999, 0],
      [0.7, 0.15],
      [0.85, 0.15],
      [0.8501, 0],
    ] as const)
      assert.equal(cpuPenaltyOf(cpuRatio, SETTINGS), expected);
  });

  it('is from 0 to 1', () => {
    fc.assert(
      fc.property(ratio, ratio, (cpuRatio, latencyRatio) => {
        const value = score(cpuRatio, latencyRatio);
        assert.ok(value >= 0 && value <= 1);
      }),
      RUNS,
    );
  });

  it('is never less for less latency, nor for less CPU of those that pass the filter', () => {
    const passing = fc.double({ min: 0, max: SETTINGS.cpuLimitRatio, noNaN: true });
    fc.assert(
      fc.property(passing, passing, ratio, ratio, (cpuA, cpuB, latencyA, latencyB) => {
        const [low, high] = [Math.min(cpuA, cpuB), Math.max(cpuA, cpuB)];
        const [near, far] = [Math.min(latencyA, latencyB), Math.max(latencyA, latencyB)];
        assert.ok(score(low, near) >= score(high, near));
        assert.ok(score(low, near) >= score(low, far));
      }),
      RUNS,
    );
  });
});

describe('latency-extender: numbers for kube-scheduler', () => {
  const mapped = (scores: readonly number[]) => {
    const names = scores.map((_, index) => `node-${index}`);
    const into = new Uint8Array(scores.length);
    const all = Float64Array.from(scores);
    const counts = extenderScores(all, bestOf(names, all), into);
    return { into: [...into], counts };
  };

  it('rounds to tenths, and keeps the best alone at the top', () => {
    assert.deepEqual(mapped([0.8, 0.44, 0.1, 0]).into, [8, 4, 1, 0]);
    assert.deepEqual(mapped([0.81, 0.84, 0.83]).into, [7, 8, 7]);
    assert.deepEqual(mapped([1, 1, 1]).into, [10, 9, 9]);
    assert.deepEqual(mapped([0.01, 0.02]).into, [0, 1]);
  });

  it('gives nodes that are out nothing', () => {
    assert.deepEqual(mapped([NaN, 0.5, NaN]).into, [0, 5, 0]);
    assert.deepEqual(mapped([NaN, NaN]).into, [0, 0]);
    assert.deepEqual(mapped([]).into, []);
  });

  it('are from 0 to 10, keep the order, and have one best, which scores most', () => {
    const scores = fc.array(fc.oneof(ratio, fc.constant(NaN)), { maxLength: 30 });
    fc.assert(
      fc.property(scores, (values) => {
        const { into, counts } = mapped(values);
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          values.length,
        );
        for (const [index, number] of into.entries()) {
          assert.ok(Number.isInteger(number) && number >= 0 && number <= 10);
          for (const [other, value] of values.entries())
            if ((values[index] ?? NaN) > value) assert.ok(number >= (into[other] ?? 0));
        }
        if (values.some((value) => !Number.isNaN(value))) {
          const top = Math.max(...into);
          const best = into.indexOf(top);
          assert.equal(into.lastIndexOf(top), best);
          assert.ok(values.every((value) => !(value > (values[best] ?? NaN))));
        }
      }),
      RUNS,
    );
  });

  it('chooses the first name among equals, whatever the order', () => {
    const scores = Float64Array.from([0.5, 0.5, 0.2]);
    assert.equal(bestOf(['b', 'a', 'c'], scores), 1);
    assert.equal(bestOf(['a', 'b', 'c'], scores), 0);
    assert.equal(bestOf([], new Float64Array(0)), -1);
  });

  it('leaves the worst out by whole scores when there are many, never the best', () => {
    const counts = [5, 0, 0, 4, 3, 0, 0, 0, 0, 1, 0];
    for (const [maxHosts, least] of [
      [100, 0],
      [13, 0],
      [12, 3],
      [8, 3],
      [7, 4],
      [4, 4],
      [3, 9],
      [1, 9],
    ] as const)
      assert.equal(leastAnswered(counts, maxHosts), least, `${maxHosts} hosts`);
  });
});
