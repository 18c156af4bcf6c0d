import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Backlog } from '../../../runtime/load-generator/policy/backlog';

describe('load generator backlog', () => {
  it('sends up to the concurrency, lets the next wait, and drops what comes then', () => {
    const backlog = new Backlog(2, 1);
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => backlog.due(i)),
      ['send', 'send', 'wait', 'drop'],
    );
    assert.deepEqual([backlog.inFlight, backlog.waiting, backlog.dropped], [2, 1, 1]);
    assert.equal(backlog.ended(), 2);
    assert.equal(backlog.inFlight, 2);
    assert.equal(backlog.ended(), undefined);
    assert.equal(backlog.inFlight, 1);
  });

  it('without room to wait drops at once', () => {
    const backlog = new Backlog(1, 0);
    assert.deepEqual(
      [0, 1].map((i) => backlog.due(i)),
      ['send', 'drop'],
    );
  });

  it('keeps its bounds and the order, and loses none', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 80 }),
        (concurrency, maxWaiting, steps) => {
          const backlog = new Backlog(concurrency, maxWaiting);
          const sent: number[] = [];
          let index = 0;
          let ended = 0;
          for (const isDue of steps) {
            if (isDue) {
              if (backlog.due(index) === 'send') sent.push(index);
              index += 1;
            } else if (backlog.inFlight > 0) {
              ended += 1;
              const next = backlog.ended();
              if (next !== undefined) sent.push(next);
            }
            assert.ok(backlog.inFlight <= concurrency && backlog.waiting <= maxWaiting);
            assert.equal(ended + backlog.inFlight + backlog.waiting + backlog.dropped, index);
          }
          assert.deepEqual(
            sent,
            [...sent].sort((a, b) => a - b),
          );
        },
      ),
      { seed: 42, numRuns: 200 },
    );
  });
});
