import assert from 'node:assert/strict';
import fc from 'fast-check';
import { largestPrimeBelow } from '../../../runtime/workload/policy/prime';

const isPrime = (n: number): boolean => {
  if (n < 2) return false;
  for (let d = 2; d * d <= n; d += 1) if (n % d === 0) return false;
  return true;
};

describe('workload prime', () => {
  const known: [number, number][] = [
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 5],
    [9, 7],
    [25, 23],
    [26, 23],
    [10_000, 9973],
    [100_000, 99_991],
    [1_000_000, 999_983],
  ];
  for (const [below, prime] of known)
    it(`below ${below} is ${prime}`, () => assert.equal(largestPrimeBelow(below), prime));

  it('is prime, below the number, and no prime lies between', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 200_000 }), (below) => {
        const found = largestPrimeBelow(below);
        assert.ok(found < below && isPrime(found), `${found} below ${below}`);
        for (let n = found + 1; n < below; n += 1) assert.ok(!isPrime(n), `${n} below ${below}`);
      }),
      { seed: 42, numRuns: 100 },
    );
  });

  for (const below of [2, 0, -5, 3.5, NaN, Infinity])
    it(`there is none below ${below}`, () =>
      assert.throws(() => largestPrimeBelow(below), /no prime/));
});
