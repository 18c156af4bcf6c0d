import assert from 'node:assert/strict';
import fc from 'fast-check';
import { planRounds } from '../../../runtime/experiment/policy/plan';

const NAMES = ['default-scheduler', 'cpu-scheduler', 'latency-aware-scheduler'];
const asked = fc.record({
  count: fc.integer({ min: 1, max: NAMES.length }),
  rounds: fc.integer({ min: 1, max: 100 }),
  seed: fc.integer({ min: 0, max: 4_294_967_295 }),
});

describe('the plan of an experiment', () => {
  it('has each scheduler once in each block, and numbers rounds as they run', () => {
    fc.assert(
      fc.property(asked, ({ count, rounds, seed }) => {
        const names = NAMES.slice(0, count);
        const plan = planRounds(names, rounds, seed);
        assert.equal(plan.length, count * rounds);
        for (let block = 0; block < rounds; block += 1) {
          const within = plan.slice(block * count, (block + 1) * count);
          assert.deepEqual(within.map(({ scheduler }) => scheduler).sort(), [...names].sort());
          for (const { round } of within) assert.equal(round, block + 1);
        }
        plan.forEach(({ sequence }, index) => assert.equal(sequence, index + 1));
      }),
      { numRuns: 100 },
    );
  });

  it('is the same for the same seed, whatever it was asked before', () => {
    fc.assert(
      fc.property(asked, ({ rounds, seed }) => {
        assert.deepEqual(planRounds(NAMES, rounds, seed), planRounds(NAMES, rounds, seed));
      }),
      { numRuns: 50 },
    );
  });

  it('gives raw files names that sort as the rounds ran', () => {
    const files = planRounds(NAMES, 40, 7).map(({ file }) => file);
    assert.equal(new Set(files).size, 120);
    assert.deepEqual([...files].sort(), files);
    assert.match(files[0] ?? '', /^001-[a-z-]+-1\.jsonl$/);
  });

  it('lets each scheduler be in each place about as often', () => {
    const blocks = 3000;
    const plan = planRounds(NAMES, blocks, 3);
    for (const name of NAMES)
      for (const place of [0, 1, 2]) {
        const times = plan.filter(
          ({ scheduler, sequence }) => scheduler === name && (sequence - 1) % 3 === place,
        ).length;
        assert.ok(Math.abs(times - blocks / 3) < 100, `${name} in place ${place}: ${times}`);
      }
  });
});
