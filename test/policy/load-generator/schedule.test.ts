import assert from 'node:assert/strict';
import fc from 'fast-check';
import { scheduleOf } from '../../../runtime/load-generator/policy/schedule';

describe('load generator schedule', () => {
  const counts: [number, number, number][] = [
    [20, 120, 2400],
    [20, 0.1, 2],
    [30, 0.1, 3],
    [0.5, 3, 2],
    [0.01, 1, 1],
    [3, 1.1, 4],
    [10_000, 10, 100_000],
  ];
  for (const [qps, seconds, count] of counts)
    it(`of ${qps}/s for ${seconds} s has ${count} requests`, () =>
      assert.equal(scheduleOf(qps, seconds).count, count));

  it('begins at once and keeps its distance', () => {
    const { dueMs } = scheduleOf(20, 1);
    assert.deepEqual([dueMs(0), dueMs(1), dueMs(19)], [0, 50, 950]);
  });

  it('catches up on all that became due while nobody looked', () => {
    const { dueBy } = scheduleOf(20, 1);
    assert.deepEqual([-1, 0, 49.9, 50, 730, 5000].map(dueBy), [0, 1, 1, 2, 15, 20]);
  });

  it('counts at any time exactly those whose time has come', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 500, noNaN: true }),
        fc.double({ min: 0.1, max: 2, noNaN: true }),
        fc.double({ min: 0, max: 3000, noNaN: true }),
        (qps, seconds, elapsedMs) => {
          const { count, dueBy, dueMs } = scheduleOf(qps, seconds);
          const due = Array.from({ length: count }, (_, k) => dueMs(k)).filter(
            (ms) => ms <= elapsedMs,
          );
          assert.equal(dueBy(elapsedMs), due.length);
        },
      ),
      { seed: 42, numRuns: 200 },
    );
  });
});
