import assert from 'node:assert/strict';
import { pino } from 'pino';
import type { Clock } from '../../../runtime/shared/clock';
import { LeaderElector, NotLeaderError } from '../../../runtime/shared/kubernetes/leader';
import { MemoryLeaseStore } from '../../../runtime/shared/kubernetes/lease-store';

/** A clock that stands until it is moved; whoever sleeps wakes when their time has come. */
class HandClock implements Clock {
  #now = 1_000_000;
  #sleepers: { readonly untilMs: number; wake(): void }[] = [];
  nowMs = () => this.#now;
  monotonicMs = () => this.#now;
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      signal?.addEventListener('abort', wake);
      this.#sleepers.push({ untilMs: this.#now + ms, wake });
    });
  }
  async pass(ms: number, stepMs = 500): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.#now += Math.min(stepMs, left);
      const due = this.#sleepers.filter(({ untilMs }) => untilMs <= this.#now);
      this.#sleepers = this.#sleepers.filter(({ untilMs }) => untilMs > this.#now);
      for (const { wake } of due) wake();
      await settle();
    }
  }
  /** Moves on without anybody running, as when a process is stopped. */
  freeze(ms: number): void {
    this.#now += ms;
  }
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('leader election', () => {
  let clock: HandClock;
  let store: MemoryLeaseStore;
  beforeEach(() => {
    clock = new HandClock();
    store = new MemoryLeaseStore();
  });

  /** A replica, over a view of the Lease that can be cut off from it alone. */
  function replica(identity: string) {
    const events: string[] = [];
    const own = { cut: false };
    const reach = <T>(call: () => Promise<T>): Promise<T> =>
      own.cut ? Promise.reject(new Error('unreachable')) : call();
    const elector = new LeaderElector(
      { read: () => reach(() => store.read()), write: (draft) => reach(() => store.write(draft)) },
      { identity, leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 },
      {
        started: (annotations) => events.push(`started ${JSON.stringify(annotations)}`),
        stopped: () => events.push('stopped'),
      },
      clock,
      pino({ level: 'silent' }),
    );
    const stop = new AbortController();
    const ended = elector.run(stop.signal);
    return { elector, events, own, stop: () => (stop.abort(), ended) };
  }

  it('one leads at a time, and goes on leading', async () => {
    const [a, b] = [replica('a'), replica('b')];
    for (let i = 0; i < 60; i++) {
      await clock.pass(1000);
      assert.ok(!(a.elector.isLeader() && b.elector.isLeader()));
    }
    assert.equal(a.elector.isLeader(), true);
    assert.deepEqual(a.events, ['started {}']);
    assert.deepEqual(b.events, []);
    assert.equal(b.elector.holder, 'a');
  });

  it('a leader that is cut off stops acting before the other starts, which does within 20 s', async () => {
    const [a, b] = [replica('a'), replica('b')];
    await clock.pass(4000);
    a.own.cut = true;
    let stoppedMs: number | undefined;
    let startedMs: number | undefined;
    for (let ms = 500; ms <= 20_000; ms += 500) {
      await clock.pass(500);
      assert.ok(!(a.elector.isLeader() && b.elector.isLeader()));
      if (!a.elector.isLeader()) stoppedMs ??= ms;
      if (b.elector.isLeader()) startedMs ??= ms;
    }
    assert.ok(stoppedMs !== undefined && stoppedMs <= 10_000);
    assert.ok(startedMs !== undefined && startedMs > stoppedMs);
    assert.deepEqual(a.events, ['started {}', 'stopped']);
  });

  it('a process that hung is not the leader even before it has noticed', async () => {
    const a = replica('a');
    await clock.pass(2000);
    assert.equal(a.elector.isLeader(), true);
    clock.freeze(10_000);
    assert.equal(a.elector.isLeader(), false);
    await assert.rejects(a.elector.annotate('k', 'v'), NotLeaderError);
  });

  it('gives the Lease up when it stops, so that the next leads at its next try', async () => {
    const [a, b] = [replica('a'), replica('b')];
    await clock.pass(4000);
    await a.stop();
    assert.equal(a.elector.isLeader(), false);
    await clock.pass(3000);
    assert.equal(b.elector.isLeader(), true);
  });

  it('hands annotations to the next leader, and refuses those of one that was overtaken', async () => {
    const [a, b] = [replica('a'), replica('b')];
    await clock.pass(4000);
    await a.elector.annotate('evictions', '[1]');
    a.own.cut = true;
    await clock.pass(20_000);
    assert.deepEqual(b.events, ['started {"evictions":"[1]"}']);
    a.own.cut = false;
    await assert.rejects(a.elector.annotate('evictions', '[]'), NotLeaderError);
    await clock.pass(4000);
    assert.equal((await store.read())?.metadata.annotations?.['evictions'], '[1]');
    assert.equal(b.elector.isLeader(), true);
  });

  it('goes on after the Lease was written by someone else, without starting anew', async () => {
    const a = replica('a');
    await clock.pass(4000);
    const lease = await store.read();
    assert.ok(lease?.spec);
    const { resourceVersion } = lease.metadata;
    await store.write({
      ...(resourceVersion && { resourceVersion }),
      annotations: { by: 'a user' },
      spec: lease.spec,
    });
    await clock.pass(20_000);
    assert.equal(a.elector.isLeader(), true);
    assert.deepEqual(a.events, ['started {}']);
  });

  it('refuses a renew deadline that is not shorter than the lease', () => {
    const options = { identity: 'a', leaseDurationMs: 10_000, renewDeadlineMs: 10_000, retryMs: 1 };
    const handlers = { started: () => undefined, stopped: () => undefined };
    assert.throws(
      () => new LeaderElector(store, options, handlers, clock, pino({ level: 'silent' })),
      /shorter/,
    );
  });
});
