import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Admission } from '../../../runtime/workload/policy/admission';

const enter = (admission: Admission, bloatMb = 0): (() => void) => {
  const entered = admission.enter(bloatMb);
  assert.ok(typeof entered === 'function', String(entered));
  return entered;
};

describe('workload admission', () => {
  it('refuses the request beyond the limit, and takes one again when one has ended', () => {
    const admission = new Admission({ maxInFlight: 2, maxTotalBloatMb: 10 });
    const leave = enter(admission);
    enter(admission);
    assert.equal(admission.enter(0), 'concurrency');
    leave();
    leave();
    assert.equal(admission.inFlight, 1);
    enter(admission);
    assert.equal(admission.enter(0), 'concurrency');
  });

  it('refuses memory beyond the limit', () => {
    const admission = new Admission({ maxInFlight: 9, maxTotalBloatMb: 10 });
    const leave = enter(admission, 6);
    assert.equal(admission.enter(5), 'memory');
    enter(admission, 4);
    leave();
    assert.equal(admission.bloatMb, 4);
  });

  it('stops only when everything in hand has ended, and takes nothing meanwhile', async () => {
    const admission = new Admission({ maxInFlight: 9, maxTotalBloatMb: 10 });
    const leaves = [enter(admission), enter(admission, 3)];
    let stopped = false;
    const stopping = admission.stop().then(() => {
      stopped = true;
    });
    assert.equal(admission.enter(0), 'stopping');
    leaves[0]?.();
    await Promise.resolve();
    assert.equal(stopped, false);
    leaves[1]?.();
    await stopping;
    await admission.stop();
  });

  it('never goes beyond a limit, and never refuses what fits', () => {
    const limits = { maxInFlight: 5, maxTotalBloatMb: 20 };
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 12 }), { maxLength: 60 }), (steps) => {
        const admission = new Admission(limits);
        const held: { mb: number; leave: () => void }[] = [];
        const sum = () => held.reduce((all, { mb }) => all + mb, 0);
        for (const step of steps) {
          if (step < 0) held.shift()?.leave();
          else {
            const fits = held.length < limits.maxInFlight && sum() + step <= limits.maxTotalBloatMb;
            const entered = admission.enter(step);
            assert.equal(typeof entered === 'function', fits);
            if (typeof entered === 'function') held.push({ mb: step, leave: entered });
          }
          assert.deepEqual([admission.inFlight, admission.bloatMb], [held.length, sum()]);
        }
      }),
      { seed: 42, numRuns: 200 },
    );
  });
});
