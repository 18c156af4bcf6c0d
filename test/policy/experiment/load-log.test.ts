import assert from 'node:assert/strict';
import { LoadLog } from '../../../runtime/experiment/policy/load-log';

const request = (index: number, outcome = 'ok') =>
  JSON.stringify({ index, intendedAtMs: 1000 + index, latencyMs: 5, outcome, status: 200 });
const summary = (counts: object = {}) =>
  JSON.stringify({
    ...{ total: 3, successful: 2, failed: 1, dropped: 0, cancelled: 0, failures: { timeout: 1 } },
    ...counts,
  });
const read = (...lines: string[]) => {
  const log = new LoadLog();
  for (const line of lines) log.add(line);
  return log;
};

describe('the log of a load generator', () => {
  it('gives the requests in their order and the statistics, whatever else it says', () => {
    const log = read(
      'Total: 1 Inflight: 2 Success Rate: 100.00% Avg Latency: 0.0050 sec',
      ...[request(2, 'timeout'), request(0), request(1)],
      summary(),
    );
    assert.equal(log.complete, true);
    const { requests, summary: counts } = log.result();
    assert.deepEqual(
      requests.map(({ index, outcome }) => [index, outcome]),
      [
        [0, 'ok'],
        [1, 'ok'],
        [2, 'timeout'],
      ],
    );
    assert.equal(counts.failed, 1);
  });

  it('may be read again from its start, and be cut off in a line', () => {
    const whole = [request(0), request(1), request(2, 'status 503')];
    const log = read(request(0), request(1).slice(0, 20));
    assert.equal(log.complete, false);
    for (const line of [...whole, summary()]) log.add(line);
    assert.equal(log.result().requests.length, 3);
  });

  it('leaves out requests that were given up, which are in no rate', () => {
    const counts = { total: 3, successful: 1, failed: 0, cancelled: 2 };
    const log = read(request(0), request(1, 'cancelled'), summary(counts));
    assert.equal(log.result().requests.length, 1);
  });

  it('is refused without statistics, with what was said instead', () => {
    assert.throws(() => read(request(0), 'Error: no memory').result(), /Error: no memory/);
    assert.throws(() => read().result(), /without statistics: no log/);
  });

  it('is refused where requests are missing', () => {
    assert.throws(() => read(request(0), summary()).result(), /sent 3 requests, and its log has 1/);
  });
});
