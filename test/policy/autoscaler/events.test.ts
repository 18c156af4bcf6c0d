import assert from 'node:assert/strict';
import { BUS_DEFAULTS, EventBus } from '../../../runtime/autoscaler/events/bus';
import { EVENT_NAMES } from '../../../runtime/autoscaler/events/types';
import { systemClock, type Clock } from '../../../runtime/shared/clock';

const PENDING = { atMs: 1, pods: 2 };
const quick = { ...BUS_DEFAULTS, retryMinMs: 1 };
/** A clock on which every limit is over at once, when `over` is set. */
const clockOf = (over: () => boolean): Clock => ({
  ...systemClock,
  sleep: (_ms, signal) =>
    over()
      ? Promise.resolve()
      : new Promise((resolve) =>
          signal?.addEventListener('abort', () => resolve(), { once: true }),
        ),
});
const never = clockOf(() => false);

describe('autoscaler: the event bus', () => {
  it('has the six events of the document, and its limits', () => {
    assert.equal(new Set(EVENT_NAMES).size, 6);
    const { retries, publishLimitMs, startLimitMs } = BUS_DEFAULTS;
    assert.deepEqual([retries, publishLimitMs, startLimitMs], [5, 5000, 10_000]);
  });

  it('hands an event to each of its handlers, and to no other', async () => {
    const bus = new EventBus(never);
    const got: unknown[] = [];
    bus.on('PendingPodsDetected', (data) => void got.push(data));
    const end = bus.on('PendingPodsDetected', (data) => void got.push(data.pods));
    bus.on('NodeHealthDegraded', (data) => void got.push(data));
    await bus.start();
    await bus.publish('PendingPodsDetected', PENDING);
    end();
    await bus.publish('PendingPodsDetected', PENDING);
    assert.deepEqual(got, [PENDING, 2, PENDING]);
    assert.equal(bus.health().published, 2);
  });

  it('tries a handler again, five times and no more, and the others only once', async () => {
    const failures: string[] = [];
    const bus = new EventBus(never, quick, (why) => void failures.push(why));
    const calls = { bad: 0, recovering: 0, good: 0 };
    bus.on('PendingPodsDetected', () => {
      calls.bad += 1;
      throw new Error('broken');
    });
    bus.on('PendingPodsDetected', () => {
      calls.recovering += 1;
      if (calls.recovering < 3) throw new Error('not yet');
    });
    bus.on('PendingPodsDetected', () => void (calls.good += 1));
    await bus.start();
    await bus.publish('PendingPodsDetected', PENDING);
    assert.deepEqual(calls, { bad: 6, recovering: 3, good: 1 });
    assert.deepEqual(failures, ['PendingPodsDetected: broken']);
    const { state, failed, lastFailure } = bus.health();
    assert.deepEqual([state, failed, lastFailure], ['degraded', 1, 'PendingPodsDetected: broken']);
  });

  it('is healthy again when the failure is long ago', async () => {
    let nowMs = 0;
    const bus = new EventBus({ ...never, nowMs: () => nowMs }, { ...quick, retries: 0 });
    bus.on('PendingPodsDetected', () => Promise.reject(new Error('broken')));
    await bus.start();
    await bus.publish('PendingPodsDetected', PENDING);
    assert.equal(bus.health().state, 'degraded');
    nowMs = 60_000;
    assert.equal(bus.health().state, 'healthy');
  });

  it('does not keep a publisher for longer than the limit; the handler ends by itself', async () => {
    let over = false;
    const bus = new EventBus(clockOf(() => over));
    let finish = (): void => undefined;
    const gate = new Promise<void>((resolve) => (finish = resolve));
    let ended = false;
    bus.on('PendingPodsDetected', async () => {
      await gate;
      ended = true;
    });
    await bus.start();
    over = true;
    await assert.rejects(bus.publish('PendingPodsDetected', PENDING), /still at it after 5000 ms/);
    assert.equal(bus.health().inFlight, 1);
    finish();
    while (bus.health().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ended, true);
  });

  it('refuses events before it has started, when it is full, and after it has stopped', async () => {
    const failures: string[] = [];
    const bus = new EventBus(never, { ...quick, capacity: 1 }, (why) => void failures.push(why));
    bus.send('PendingPodsDetected', PENDING);
    bus.on('PendingPodsDetected', () => new Promise(() => undefined));
    await bus.start();
    void bus.publish('PendingPodsDetected', PENDING);
    await assert.rejects(bus.publish('PendingPodsDetected', PENDING), /1 events wait already/);
    assert.equal(bus.health().state, 'degraded');
    bus.stop();
    await assert.rejects(bus.publish('PendingPodsDetected', PENDING), /has not started/);
    assert.deepEqual(failures, ['PendingPodsDetected: the event bus has not started']);
  });

  it('says when it cannot start in time', async () => {
    const bus = new EventBus(clockOf(() => true));
    await assert.rejects(
      bus.start(() => new Promise(() => undefined)),
      /did not start after 10000 ms/,
    );
    assert.equal(bus.health().state, 'starting');
  });
});
