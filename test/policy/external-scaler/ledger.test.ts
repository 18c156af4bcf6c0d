import assert from 'node:assert/strict';
import { Bench, eligibleNode, key } from './support';

describe('what a ScaledJob is told', () => {
  it('is 1 for as many as there are free berths, in the order in which they asked', () => {
    const bench = new Bench();
    bench.nodes('a', 'b');
    bench.scaledJobs('one', 'two', 'three');
    assert.deepEqual(
      ['one', 'two', 'three'].map((name) => bench.ask(name).value),
      [1, 1, 0],
    );
    assert.equal(bench.ask('three').rule, 'no-free-berth');
  });

  it('stays the same until its Job is seen, then is 0 until that has ended', () => {
    const bench = new Bench();
    bench.nodes('a');
    bench.scaledJobs('one');
    for (let poll = 0; poll < 3; poll += 1) assert.equal(bench.ask('one').value, 1);
    assert.equal(bench.scaler.ledger.grants.size, 1);
    bench.job('one', 'active');
    assert.equal(bench.ask('one').rule, 'running');
    assert.equal(bench.scaler.ledger.grants.size, 0);
    bench.job('one', 'complete');
    assert.equal(bench.ask('one').value, 1);
  });

  it('counts one berth for a Job, whether its pod is there, bound, or not', () => {
    const bench = new Bench();
    bench.nodes('a', 'b');
    bench.scaledJobs('one', 'two', 'three');
    bench.ask('one');
    const others = (): number =>
      bench.scaler.ledger.remaining(0.7, bench.clock.atMs, bench.scaler.world());
    assert.equal(others(), 1);
    bench.job('one', 'active');
    assert.equal(others(), 1);
    bench.pod('one-1', null, 'one');
    assert.equal(others(), 1);
    bench.pod('one-1', 'a', 'one');
    assert.equal(others(), 1);
    bench.endPod('one-1');
    // The Job has not said that it is over: it may make another pod.
    assert.equal(others(), 1);
    bench.job('one', 'complete');
    assert.equal(others(), 2);
  });

  it('does not take a berth twice for an analyzer that makes its own node busy', () => {
    const bench = new Bench();
    bench.nodes('a', 'b');
    bench.scaledJobs('one', 'two');
    bench.job('one', 'active');
    bench.pod('one-1', 'a', 'one');
    bench.heat('a', 0.99);
    assert.equal(bench.ask('two').value, 1);
  });

  it('is 1 for half of GRANT_TTL_MS, and the berth is kept for the other half', () => {
    const bench = new Bench({ GRANT_TTL_MS: '10000' });
    bench.nodes('a');
    bench.scaledJobs('one', 'two');
    assert.equal(bench.ask('one').value, 1);
    bench.clock.atMs = 4999;
    assert.equal(bench.ask('one').value, 1);
    bench.clock.atMs = 5000;
    assert.equal(bench.ask('one').rule, 'grant-closing');
    assert.equal(bench.ask('two').rule, 'no-free-berth');
    bench.clock.atMs = 10_000;
    // One whose Job was not made goes behind those that waited meanwhile.
    assert.equal(bench.ask('one').rule, 'waits-its-turn');
    assert.equal(bench.ask('two').value, 1);
  });

  it('keeps a berth for those that asked earlier, whoever asks first when it is free', () => {
    const bench = new Bench();
    bench.nodes('a');
    bench.scaledJobs('busy', 'early', 'late');
    bench.job('busy', 'active');
    bench.pod('busy-1', 'a', 'busy');
    bench.ask('early');
    bench.ask('late');
    bench.endPod('busy-1');
    bench.job('busy', 'complete');
    assert.equal(bench.ask('busy').rule, 'waits-its-turn');
    assert.equal(bench.ask('late').rule, 'waits-its-turn');
    assert.equal(bench.ask('early').value, 1);
  });

  it('does not wait for one that is paused, is gone, or has stopped asking', () => {
    const bench = new Bench({ IDENTITY_TTL_MS: '60000' });
    bench.scaledJobs('paused', 'gone', 'silent', 'last');
    for (const name of ['paused', 'gone', 'silent', 'last']) bench.ask(name);
    bench.nodes('a');
    assert.equal(bench.ask('last').rule, 'waits-its-turn');
    bench.scaledJob('paused', 1, true);
    assert.equal(bench.ask('last').rule, 'waits-its-turn');
    bench.cluster.removeScaledJob({
      key: key('gone'),
      uid: 'uid-gone',
      generation: 1,
      paused: false,
    });
    assert.equal(bench.ask('last').rule, 'waits-its-turn');
    bench.clock.atMs = 60_001;
    bench.heat('a', 0.1);
    bench.ask('last');
    bench.scaler.tick();
    assert.equal(bench.ask('last').value, 1);
  });

  it('knows nothing of a ScaledJob that is not there, and remembers nothing of it', () => {
    const bench = new Bench();
    bench.nodes('a');
    assert.deepEqual(bench.ask('none'), { value: 0, rule: 'unknown' });
    assert.equal(bench.scaler.ledger.identities.size, 0);
  });

  it('forgets 10,000 that are gone or do not ask any more', () => {
    const bench = new Bench();
    const names = Array.from({ length: 10_000 }, (_, index) => `job-${index}`);
    bench.scaledJobs(...names);
    for (const name of names) bench.ask(name);
    assert.equal(bench.scaler.ledger.identities.size, 10_000);
    for (const name of names.slice(0, 4000))
      bench.cluster.removeScaledJob({
        key: key(name),
        uid: `uid-${name}`,
        generation: 1,
        paused: false,
      });
    bench.scaler.tick();
    assert.equal(bench.scaler.ledger.identities.size, 6000);
    assert.equal(bench.scaler.ledger.queue.size, 6000);
    bench.clock.atMs = 60_001;
    bench.scaler.tick();
    assert.equal(bench.scaler.ledger.identities.size, 0);
    assert.equal(bench.scaler.ledger.queue.size, 0);
  });

  it('is what peek says, which promises nothing', () => {
    const bench = new Bench();
    bench.nodes('a');
    bench.scaledJobs('one', 'two');
    const peek = (name: string) => bench.scaler.peek(key(name), bench.demand()).value;
    assert.deepEqual([peek('one'), peek('two')], [1, 1]);
    assert.equal(bench.scaler.ledger.identities.size, 0);
    bench.ask('two');
    assert.deepEqual([peek('one'), peek('two')], [0, 1]);
  });
});

describe('mode once', () => {
  const once = { mode: 'once' } as const;

  it('gives no more after one completed Job, until the generation changes', () => {
    const bench = new Bench();
    bench.nodes('a');
    bench.scaledJobs('one');
    assert.equal(bench.ask('one', once).value, 1);
    bench.job('one', 'active');
    bench.job('one', 'complete');
    assert.equal(bench.ask('one', once).rule, 'done');
    bench.cluster.removeJob('uid-one-1');
    assert.equal(bench.ask('one', once).rule, 'done', 'also when KEDA has removed the Job');
    bench.scaledJob('one', 2);
    assert.equal(bench.ask('one', once).value, 1);
    assert.equal(bench.ask('one').value, 1);
  });

  it('counts failed Jobs as tries, up to RETRY_LIMIT', () => {
    const bench = new Bench({ RETRY_LIMIT: '2' });
    bench.nodes('a');
    bench.scaledJobs('one');
    for (const name of ['one-1', 'one-2']) {
      assert.equal(bench.ask('one', once).value, 1);
      bench.job('one', 'failed', name);
    }
    assert.equal(bench.ask('one', once).rule, 'failed');
    assert.equal(bench.ask('one').value, 1, 'continuous goes on');
  });

  it('does not count Jobs of a ScaledJob that had the same name', () => {
    const bench = new Bench();
    bench.nodes('a');
    bench.job('one', 'complete');
    bench.cluster.setScaledJob({ key: key('one'), uid: 'another', generation: 1, paused: false });
    assert.equal(bench.ask('one', once).value, 1);
  });
});

describe('slots and thresholds of a ScaledJob', () => {
  it('with a slot wait for the node of that slot', () => {
    const bench = new Bench();
    bench.nodes('a', 'b');
    bench.scaledJobs('third', 'second', 'other');
    assert.equal(bench.ask('third', { slot: 3 }).rule, 'slot-not-free');
    assert.equal(bench.ask('second', { slot: 2 }).value, 1);
    assert.equal(bench.ask('other', { slot: 2 }).value, 0);
    assert.equal(bench.ask('other').value, 1, 'one that waits for a slot keeps nobody else back');
  });

  it('with a threshold of their own count only nodes below that', () => {
    const bench = new Bench();
    bench.nodes('a', 'b');
    bench.heat('a', 0.5);
    bench.heat('b', 0.6);
    bench.scaledJobs('strict', 'plain', 'careful');
    assert.equal(bench.ask('strict', { thresholdRatio: 0.4 }).rule, 'no-free-berth');
    assert.equal(bench.ask('careful', { thresholdRatio: 0.55 }).value, 1);
    assert.equal(bench.ask('plain').value, 1);
  });

  it('with a stricter threshold are not passed over for ever', () => {
    const bench = new Bench();
    bench.nodes('cool', 'warm-1', 'warm-2');
    bench.heat('warm-1', 0.6);
    bench.heat('warm-2', 0.6);
    bench.scaledJobs('first', 'strict', 'next');
    assert.equal(bench.ask('first').value, 1);
    assert.equal(bench.ask('strict', { thresholdRatio: 0.3 }).value, 0);
    assert.equal(bench.ask('next').value, 0, 'it waits until the grant before it is settled');
    bench.job('first', 'active');
    bench.pod('first-1', 'warm-1', 'first');
    assert.equal(bench.ask('strict', { thresholdRatio: 0.3 }).value, 1);
    assert.equal(bench.ask('next').value, 1);
  });
});

describe('nothing is granted', () => {
  const told = (bench: Bench): string => {
    bench.scaledJobs('one');
    return bench.ask('one').rule;
  };

  it('before everything is listed, while the API server is silent, or just after the start', () => {
    const bench = new Bench({ START_HOLD_MS: '10000' });
    bench.nodes('a');
    bench.watch.synced = false;
    assert.equal(told(bench), 'closed');
    bench.watch.synced = true;
    assert.equal(told(bench), 'closed');
    assert.match(bench.scaler.degraded.join(), /just started/);
    bench.clock.atMs = 10_000;
    bench.heat('a', 0.1);
    bench.watch.silentMs = 200_000;
    assert.equal(told(bench), 'closed');
    bench.watch.silentMs = 0;
    bench.scaler.changed();
    assert.equal(told(bench), 'granted');
  });

  it('on a node that no rule lets through', () => {
    const cases: readonly [string, (bench: Bench) => void][] = [
      ['not-eligible', (bench) => bench.cluster.setNode({ ...eligibleNode('a'), labels: {} })],
      ['not-ready', (bench) => bench.cluster.setNode({ ...eligibleNode('a'), ready: false })],
      ['cpu-unknown', (bench) => bench.cpu.clear()],
      ['over-threshold', (bench) => bench.heat('a', 0.7)],
      ['stale', (bench) => (bench.clock.atMs = 120_001)],
    ];
    for (const [what, spoil] of cases) {
      const bench = new Bench();
      bench.nodes('a');
      spoil(bench);
      bench.scaler.changed();
      assert.equal(told(bench), 'no-free-berth', what);
    }
    const excluding = new Bench({ EXCLUDE_NODES: 'b, a' });
    excluding.nodes('a');
    assert.equal(told(excluding), 'no-free-berth');
  });

  it('on a node that the node-controller does not count, while its word is fresh', () => {
    const bench = new Bench({ CONTROLLER_URL: 'http://controller:8090' });
    bench.nodes('a');
    const nodes = new Map([['a', { available: false, why: 'CPU 0.900 is not below 0.7' }]]);
    bench.word = { ageMs: 75_000, nodes };
    assert.equal(told(bench), 'no-free-berth');
    assert.equal(bench.scaler.source, 'controller');
    bench.word = { ageMs: 75_001, nodes };
    bench.scaler.changed();
    assert.equal(bench.scaler.source, 'own');
    assert.match(bench.scaler.degraded.join(), /without the node-controller/);
    assert.equal(told(bench), 'granted');
  });
});
