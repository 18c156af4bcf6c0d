import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  figuresOf,
  figureText,
  mediansOf,
} from '../../../runtime/experiment-report/policy/figures';
import { median, percentile } from '../../../runtime/experiment-report/policy/numbers';
import { parseRounds } from '../../../runtime/experiment-report/policy/parse';
import type { RoundFigures } from '../../../runtime/experiment-report/types';
import { rawFile, ROUNDS } from './support';

const figures = (): RoundFigures[] => parseRounds(ROUNDS.map(rawFile)).map(figuresOf);
/** Without the noise of floating point. */
const rounded = (values: Readonly<Record<string, number | null>>) =>
  Object.fromEntries(
    Object.entries(values).map(([id, value]) => [id, value && Number(value.toFixed(6))]),
  );

describe('experiment figures', () => {
  it('of a round are what one computes by hand', () => {
    assert.deepEqual(rounded(figures()[0]?.figures ?? {}), {
      // Five that were not cancelled, and one that was never sent.
      requests: 6,
      successPercent: Number(((100 * 4) / 6).toFixed(6)),
      meanMs: 250,
      p50Ms: 200,
      p95Ms: 400,
      p99Ms: 400,
      maxMs: 400,
      peakPods: 5,
      peakDesired: 5,
      peakCpuPercent: 90,
      // node-1 has 80 % on average, node-3 10 %.
      cpuSpreadPoints: 70,
      placements: 5,
      // Of 0, 10, 20, 30 and of 45, 50, 60, 70.
      bindLeastP50Ms: 10,
      bindMostP50Ms: 50,
      // Three on node-2, none on node-3.
      placementSpread: 3,
    });
  });

  it('of a round of 1, 2 … 200 ms have these percentiles', () => {
    const { p50Ms, p95Ms, p99Ms, maxMs, meanMs } = figures()[2]?.figures ?? {};
    assert.deepEqual([p50Ms, p95Ms, p99Ms, maxMs, meanMs], [100, 190, 198, 200, 100.5]);
  });

  it('are unknown where nothing was measured, never 0', () => {
    const { peakPods, peakCpuPercent, cpuSpreadPoints, bindMostP50Ms } =
      figures()[2]?.figures ?? {};
    assert.deepEqual(
      [peakPods, peakCpuPercent, cpuSpreadPoints, bindMostP50Ms],
      [null, null, null, null],
    );
    assert.equal(figureText('peakPods', null), 'unknown');
    assert.equal(figureText('p50Ms', 0), '0.0');
    assert.equal(figureText('placements', 1.5), '1.5');
  });

  it('of a scheduler are the median over its rounds, with their files', () => {
    const [one, two] = mediansOf(figures());
    assert.deepEqual([one?.scheduler, two?.scheduler], ['default-scheduler', 'cpu-scheduler']);
    assert.deepEqual(one?.files, [
      'raw/default-scheduler-1.jsonl',
      'raw/default-scheduler-2.jsonl',
    ]);
    assert.equal(one?.figures.p50Ms, (200 + 500) / 2);
    assert.equal(one?.figures.successPercent, (400 / 6 + 50) / 2);
    // The second round placed none, so its time to bind is unknown and counts for nothing.
    assert.equal(one?.figures.bindMostP50Ms, 50);
  });
});

describe('experiment numbers', () => {
  const values = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 60 });

  it('have a percentile that enough values do not exceed, and no smaller one does', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (all, percent) => {
        const found = percentile(all, percent) ?? NaN;
        const share = (limit: number) => all.filter((value) => value <= limit).length * 100;
        assert.ok(all.includes(found) && share(found) >= percent * all.length);
        const below = all.filter((value) => value < found);
        assert.ok(below.length === 0 || below.length * 100 < percent * all.length);
      }),
      { seed: 42, numRuns: 200 },
    );
  });

  it('have a median with as many values on one side as on the other', () => {
    fc.assert(
      fc.property(values, (all) => {
        const middle = median(all) ?? NaN;
        const [below, above] = [
          all.filter((value) => value < middle).length,
          all.filter((value) => value > middle).length,
        ];
        assert.ok(below <= all.length / 2 && above <= all.length / 2);
      }),
      { seed: 42, numRuns: 200 },
    );
    assert.equal(median([]), null);
    assert.equal(percentile([], 50), null);
  });
});
