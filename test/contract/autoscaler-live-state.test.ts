import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { MemoryLiveState } from '../../runtime/autoscaler/adapters/memory-state';
import { connectRedis } from '../../runtime/autoscaler/adapters/redis-connection';
import { KEYS } from '../../runtime/autoscaler/adapters/redis-keys';
import { RedisLiveState } from '../../runtime/autoscaler/adapters/redis-state';
import type { LiveState } from '../../runtime/autoscaler/ports';
import type { Operation, ScalingEvent, WorkerRecord } from '../../runtime/autoscaler/types';
import { createRedis, type RedisServer } from '../wire/support/redis';

const record = (number: number): WorkerRecord => ({
  ...{ name: `k3s-worker-${number}`, number, permanent: false, status: 'ready', createdAtMs: 5 },
});
const event = (id: string, atMs = 1): ScalingEvent => ({
  ...{ id, kind: 'scale_up', outcome: 'done', worker: 'k3s-worker-3', reason: 'ö "x"\n', atMs },
});
const up = (id: string, startedAtMs: number): Operation => ({
  ...{
    id,
    kind: 'up',
    step: 'create',
    worker: 'k3s-worker-3',
    number: 3,
    reason: 'r',
    startedAtMs,
  },
});
const down: Operation = {
  ...{ id: 'd', kind: 'down', step: 'drain', worker: 'k3s-worker-4', number: 4, reason: 'r' },
  ...{ startedAtMs: 2, stepAtMs: 3, wasCordoned: true, undoing: 'why' },
};
const ids = (events: readonly ScalingEvent[]): string => events.map(({ id }) => id).join(' ');

/** What every LiveState promises. */
function contract(fresh: () => Promise<LiveState>): void {
  let live: LiveState;
  beforeEach(async () => {
    live = await fresh();
  });

  it('gives numbers from 1 on, each once, to all who ask at the same time', async () => {
    const numbers = await Promise.all(Array.from({ length: 50 }, () => live.nextNumber()));
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    assert.equal(await live.counter(), 50);
  });

  it('raises the counter, and never lowers it', async () => {
    await live.raiseCounter(9);
    await live.raiseCounter(4);
    assert.equal(await live.counter(), 9);
    assert.equal(await live.nextNumber(), 10);
  });

  it('keeps workers by name, in the order of their numbers', async () => {
    for (const number of [10, 9, 3]) await live.putWorker(record(number));
    const drained: WorkerRecord = { ...record(9), status: 'draining' };
    await live.putWorker(drained);
    await live.removeWorker('k3s-worker-3');
    await live.removeWorker('none');
    assert.deepEqual(await live.workers(), [drained, record(10)]);
  });

  it('keeps the journal, the oldest operation first', async () => {
    await live.saveOperation(up('b', 3));
    await live.saveOperation(down);
    await live.saveOperation(up('a', 1));
    const further: Operation = { ...up('b', 3), kind: 'up', step: 'ready' };
    await live.saveOperation(further);
    assert.deepEqual(await live.operations(), [up('a', 1), down, further]);
    for (const id of ['a', 'b', 'a', 'none']) await live.endOperation(id);
    assert.deepEqual(await live.operations(), [down]);
  });

  it('notes when it grew and shrank; times only grow', async () => {
    assert.deepEqual([await live.scaledAtMs('up'), await live.scaledAtMs('down')], [0, 0]);
    const nowMs = 1_767_268_800_123;
    await live.noteScaled('up', nowMs);
    await live.noteScaled('up', nowMs - 1);
    assert.deepEqual([await live.scaledAtMs('up'), await live.scaledAtMs('down')], [nowMs, 0]);
  });

  it('has each event once, the latest first, and until it is sent also the other way', async () => {
    for (const id of ['a', 'b', 'a', 'c']) await live.addEvent(event(id));
    assert.equal(ids(await live.recentEvents(2)), 'c b');
    assert.equal(ids(await live.unsentEvents(2)), 'a b');
    assert.deepEqual((await live.recentEvents(9))[2], event('a'));
    await live.eventsSent(['a', 'c', 'none']);
    await live.eventsSent([]);
    await live.addEvent(event('a'));
    assert.equal(ids(await live.unsentEvents(9)), 'b');
    assert.equal(ids(await live.recentEvents(9)), 'c b a');
    assert.deepEqual(await live.recentEvents(0), []);
  });

  it('keeps 1,000 recent events, and more as long as they are not sent', async () => {
    for (let index = 0; index < 1005; index += 1) await live.addEvent(event(`e${index}`));
    assert.equal((await live.recentEvents(2000)).length, 1000);
    assert.equal((await live.unsentEvents(2000)).length, 1005);
    assert.equal(ids(await live.unsentEvents(1)), 'e0');
    await live.eventsSent((await live.unsentEvents(2000)).map(({ id }) => id));
    assert.equal((await live.unsentEvents(1)).length, 0);
    assert.equal((await live.recentEvents(2000)).length, 1000);
  });

  it('gives a key to one of all who ask for it, and says what it was given for', async () => {
    const taken = await Promise.all(['f', 'g', 'h'].map((one) => live.takeKey('k', one)));
    assert.equal(taken.filter((before) => before === undefined).length, 1);
    await live.answerKey('k', { fingerprint: 'f', answer: { n: [1, null] } });
    assert.deepEqual(await live.takeKey('k', 'x'), { fingerprint: 'f', answer: { n: [1, null] } });
    assert.equal(await live.takeKey('other', 'x'), undefined);
    assert.equal((await live.takeKey('other', 'y'))?.fingerprint, 'x');
    assert.equal((await live.takeKey('other', 'y'))?.answer, undefined);
    await live.releaseKey('other');
    assert.equal(await live.takeKey('other', 'z'), undefined);
  });
}

describe('autoscaler live state: memory', () => {
  contract(() => Promise.resolve(new MemoryLiveState()));
});

describe('autoscaler live state: Redis', function () {
  this.timeout(1_800_000);
  let server: RedisServer;
  let redis: Redis;
  const bad: string[] = [];
  const state = (): RedisLiveState =>
    new RedisLiveState(redis, (key, field) => void bad.push(`${key} ${field}`));
  before(async () => {
    server = await createRedis();
    await server.start();
    redis = connectRedis({ url: server.url, timeoutMs: 60_000 }, () => undefined);
  });
  after(async () => {
    redis?.disconnect();
    await server?.remove();
  });
  contract(async () => {
    await redis.flushall();
    return state();
  });

  it('passes over a record that nobody can read, and does nothing on such a journal', async () => {
    await redis.flushall();
    await redis.hset(KEYS.workers, 'broken', '{');
    await state().putWorker(record(3));
    assert.deepEqual(await state().workers(), [record(3)]);
    assert.deepEqual(bad, ['autoscaler:workers broken']);
    await redis.hset(KEYS.operations, 'broken', '{"id":"broken"}');
    await assert.rejects(state().operations());
  });

  it('writes the names of the permanent workers down, for people', async () => {
    await redis.flushall();
    await state().notePermanent(['k3s-worker-1', 'k3s-worker-2']);
    assert.equal(
      await redis.get('autoscaler:workers:permanent'),
      '["k3s-worker-1","k3s-worker-2"]',
    );
  });

  it('uses no key outside its own, and lets those of requests go after a day', async () => {
    await redis.flushall();
    await state().nextNumber();
    await state().addEvent(event('a'));
    await state().takeKey('k', 'f');
    const keys = await redis.keys('*');
    assert.ok(keys.length >= 4 && keys.every((key) => key.startsWith('autoscaler:')), keys.join());
    const ttlSeconds = await redis.ttl(KEYS.request('k'));
    assert.ok(ttlSeconds > 0 && ttlSeconds <= 86_400, String(ttlSeconds));
  });

  it('rejects while Redis is away, and has all that was written when it is back', async () => {
    await redis.flushall();
    await state().saveOperation(down);
    await server.stop();
    await assert.rejects(state().saveOperation(up('a', 1)));
    await server.start();
    const giveUpAt = Date.now() + 200_000;
    for (;;) {
      try {
        assert.deepEqual(await state().operations(), [down]);
        return;
      } catch (error) {
        if (error instanceof assert.AssertionError || Date.now() > giveUpAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  });
});
