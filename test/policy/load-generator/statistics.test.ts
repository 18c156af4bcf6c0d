import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nameOf, Statistics } from '../../../runtime/load-generator/policy/statistics';
import { finalText, liveText } from '../../../runtime/load-generator/policy/text';
import type { Outcome } from '../../../runtime/load-generator/types';

const OK: Outcome = { kind: 'answered', status: 200 };
const ended = (latencyMs: number, outcome: Outcome = OK, waitedMs = 0) => ({
  index: 0,
  intendedMs: 1000,
  sentMs: 1000 + waitedMs,
  endedMs: 1000 + latencyMs,
  outcome,
});
const summaryOf = (...all: Parameters<Statistics['ended']>[0][]) => {
  const statistics = new Statistics();
  for (const one of all) statistics.ended(one);
  return statistics.summary();
};

describe('load generator statistics', () => {
  it('know nothing before anything has ended', () => {
    const { total, successRatio, latency } = summaryOf();
    assert.deepEqual([total, successRatio, latency.meanMs, latency.p99Ms], [0, null, null, null]);
  });

  const failures: [Outcome, string][] = [
    [{ kind: 'timeout' }, 'timeout'],
    [{ kind: 'connection', code: 'ECONNREFUSED' }, 'connection ECONNREFUSED'],
    [{ kind: 'answered', status: 503 }, 'status 503'],
    [{ kind: 'answered', status: 404 }, 'status 404'],
    [{ kind: 'answered', status: 302 }, 'status 302'],
  ];
  for (const [outcome, name] of failures)
    it(`never count ${name} as success`, () => {
      const summary = summaryOf(ended(10), ended(90, outcome));
      assert.deepEqual([summary.successful, summary.failed, summary.successRatio], [1, 1, 0.5]);
      assert.deepEqual(summary.failures, { [name]: 1 });
      assert.deepEqual([summary.latency.maxMs, summary.failedLatency.maxMs], [10, 90]);
    });

  it('count what was dropped against the rate, and not what was cancelled', () => {
    const statistics = new Statistics();
    for (let i = 0; i < 3; i += 1) statistics.ended(ended(5));
    statistics.drop();
    statistics.cancel(2);
    statistics.ended(ended(1, { kind: 'cancelled' }));
    const { total, dropped, cancelled, successRatio } = statistics.summary();
    assert.deepEqual([total, dropped, cancelled, successRatio], [7, 1, 3, 0.75]);
  });

  it('measure latency from when a request was due, and service time from when it was sent', () => {
    const { latency, serviceTime, waited } = summaryOf(ended(900, OK, 850));
    assert.deepEqual([latency.maxMs, serviceTime.maxMs, waited.maxMs], [900, 50, 850]);
  });

  it('have percentiles by nearest rank within 0.1 %', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 300 }),
        (latenciesMs) => {
          const { latency } = summaryOf(...latenciesMs.map((ms) => ended(ms)));
          const sorted = [...latenciesMs].sort((a, b) => a - b);
          const near = (got: number | null, percentile: number): void => {
            const rank = Math.max(1, Math.ceil((percentile / 100) * sorted.length - 1e-9));
            const exact = sorted[rank - 1] ?? NaN;
            assert.ok(
              got !== null && Math.abs(got - exact) <= exact / 1000 + 0.001,
              `${got} ${exact}`,
            );
          };
          near(latency.p50Ms, 50);
          near(latency.p90Ms, 90);
          near(latency.p99Ms, 99);
          assert.equal(latency.maxMs, sorted.at(-1));
          assert.equal(latency.minMs, sorted[0]);
        },
      ),
      { seed: 42, numRuns: 100 },
    );
  });

  it('name an answer that is none of these ok only from 200 to 299', () => {
    const names = [199, 200, 299, 300].map((status) => nameOf({ kind: 'answered', status }));
    assert.deepEqual(names, ['status 199', 'ok', 'ok', 'status 300']);
  });
});

describe('load generator text', () => {
  it('is the live line', () => {
    const live = { ended: 3, inFlight: 20, waiting: 0, dropped: 0, successRatio: 1, meanMs: 915.4 };
    assert.equal(
      liveText(live),
      'Total: 3 Inflight: 20 Success Rate: 100.00% Avg Latency: 0.9154 sec',
    );
    assert.match(liveText({ ...live, waiting: 4, dropped: 7 }), / Waiting: 4 Dropped: 7 /);
    assert.match(liveText({ ...live, successRatio: null, meanMs: null }), /Rate: unknown/);
  });

  it('is the final statistics', () => {
    const text = finalText(
      summaryOf(ended(1000), ended(2000), ended(9, { kind: 'timeout' })),
      false,
    );
    for (const line of [
      'Final Statistics:',
      'Total Requests: 3',
      'Successful Requests: 2',
      '  timeout: 1',
      'Success Rate: 66.67%',
      'Average Latency: 1.5000 sec',
    ])
      assert.ok(text.split('\n').includes(line), line);
  });
});
