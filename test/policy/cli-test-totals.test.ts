import assert from 'node:assert/strict';
import { addTotals, allWell, totalsLine, totalsOfProcess } from '../../runtime/cli/test-totals';

describe('totals of a test run', () => {
  it('ends with one plain line', () => {
    assert.equal(totalsLine({ passed: 3, failed: 1, skipped: 0 }), '3 passed, 1 failed');
    assert.equal(totalsLine({ passed: 3, failed: 0, skipped: 2 }), '3 passed, 0 failed, 2 skipped');
  });

  it('adds the layers up', () => {
    const sum = addTotals(
      { passed: 1, failed: 2, skipped: 3 },
      { passed: 10, failed: 20, skipped: 30 },
    );
    assert.deepEqual(sum, { passed: 11, failed: 22, skipped: 33 });
  });

  it('counts a process that died without a report as a failure', () => {
    assert.deepEqual(totalsOfProcess('', false), { passed: 0, failed: 1, skipped: 0 });
    assert.deepEqual(totalsOfProcess('{"passed":4,"failed":0,"skipped":0}\n', false), {
      passed: 4,
      failed: 1,
      skipped: 0,
    });
  });

  it('does not count a reported failure twice', () => {
    const written = '{"passed":4,"failed":2,"skipped":0}\n';
    assert.equal(totalsOfProcess(written, false).failed, 2);
  });

  it('calls a run good only if something ran and nothing failed', () => {
    assert.equal(allWell({ passed: 0, failed: 0, skipped: 5 }), false);
    assert.equal(allWell({ passed: 1, failed: 0, skipped: 0 }), true);
    assert.equal(allWell({ passed: 1, failed: 1, skipped: 0 }), false);
  });
});
