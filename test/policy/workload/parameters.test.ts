import assert from 'node:assert/strict';
import { parseWork } from '../../../runtime/workload/policy/parameters';
import { answerText } from '../../../runtime/workload/policy/answer';

const limits = { maxSleepMs: 5000, maxPrime: 1_000_000, maxBloatMb: 64 };
const parse = (query: string) => parseWork(new URLSearchParams(query), limits);
const problemsOf = (query: string): readonly string[] => {
  const parsed = parse(query);
  assert.equal(parsed.ok, false);
  return parsed.ok ? [] : parsed.problems;
};

describe('workload parameters', () => {
  it('are read with their units, each of them optional', () => {
    assert.deepEqual(parse('sleep=100&prime=10000&bloat=5'), {
      ok: true,
      work: { sleepMs: 100, primeBelow: 10_000, bloatMb: 5 },
    });
    assert.deepEqual(parse(''), { ok: true, work: {} });
  });

  it('may be at the ends of their ranges', () => {
    for (const query of ['sleep=0&prime=3&bloat=0', 'sleep=5000&prime=1000000&bloat=64'])
      assert.equal(parse(query).ok, true, query);
  });

  for (const bad of ['-1', '5001', '1.5', 'x', '', '1e3', '0x10', ' 5', 'NaN', '99999999999999999'])
    it(`refuses sleep=${JSON.stringify(bad)} with the range`, () => {
      assert.deepEqual(problemsOf(`sleep=${encodeURIComponent(bad)}`), [
        `sleep: ${JSON.stringify(bad)} is not a whole number from 0 to 5000 milliseconds`,
      ]);
    });

  it('names all problems at once', () => {
    assert.deepEqual(problemsOf('sleep=1&sleep=2&prime=2&bloat=65&blot=1'), [
      'sleep: given 2 times, give it once',
      'prime: "2" is not a whole number from 3 to 1000000',
      'bloat: "65" is not a whole number from 0 to 64 Mb',
      'blot: no such parameter; there are sleep, prime, bloat',
    ]);
  });
});

describe('workload answer', () => {
  it('has the three lines, in their order', () => {
    const done = { sleptMs: 100.126, prime: { below: 10_000, found: 9973 }, allocatedMb: 5 };
    assert.equal(
      answerText(done),
      'Allocated 5 Mb of memory.\nThe largest prime less than 10000 is 9973.\nSlept for 100.13 milliseconds.\n',
    );
  });

  it('has only the lines of what was asked', () => {
    assert.equal(answerText({ allocatedMb: 0 }), 'Allocated 0 Mb of memory.\n');
    assert.match(answerText({}), /^Nothing was asked/);
  });
});
