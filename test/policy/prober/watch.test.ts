import assert from 'node:assert/strict';
import { pino } from 'pino';
import { MemoryCpu, MemoryPeers } from '../../../runtime/prober/adapters/memory';
import { CpuWatch } from '../../../runtime/prober/loop/cpu-watch';
import { PeerWatch } from '../../../runtime/prober/loop/peer-watch';
import { proberMetrics } from '../../../runtime/prober/metrics';
import { proberSettings } from '../../../runtime/prober/settings';
import { createMetrics } from '../../../runtime/shared/metrics';
import { parseSettings } from '../../../runtime/shared/settings';

const log = pino({ level: 'silent' });
const metrics = () => proberMetrics(createMetrics('prober', { processMetrics: false }));
const SETTINGS = parseSettings(proberSettings, {
  NODE_NAME: 'me',
  LANDMARKS: '2',
  LANDMARK_CYCLE_MS: '60000',
  PEERS_INTERVAL_MS: '10000',
});

/** Time that passes when the test says so. */
const handClock = () => ({
  ms: 6_000_000,
  nowMs() {
    return this.ms;
  },
  monotonicMs() {
    return this.ms;
  },
  async sleep() {},
});

describe('prober: watching CPU', () => {
  it('knows nothing after one look, and the share between two after the second', async () => {
    const [source, clock] = [new MemoryCpu(), handClock()];
    const watch = new CpuWatch(source, SETTINGS, clock, log, metrics());
    await watch.once();
    assert.equal(watch.state, undefined);
    source.pass(2000, 0.5);
    clock.ms += 2000;
    await watch.once();
    assert.deepEqual(watch.state, {
      usage: { value: 0.5, atMs: 6_002_000, samples: 1 },
      cores: 2,
      source: 'proc',
    });
  });

  it('keeps the time of the last reading when it fails, and starts anew when that was too long ago', async () => {
    const [source, clock] = [new MemoryCpu(), handClock()];
    const watch = new CpuWatch(source, SETTINGS, clock, log, metrics());
    await watch.once();
    source.pass(2000, 1);
    clock.ms += 2000;
    await watch.once();
    source.failure = new Error('gone');
    clock.ms += 40_000;
    await watch.once();
    assert.equal(watch.state?.usage.atMs, 6_002_000);
    source.failure = undefined;
    source.pass(40_000, 0.25);
    await watch.once();
    assert.deepEqual(watch.state?.usage, { value: 0.25, atMs: 6_042_000, samples: 1 });
  });
});

describe('prober: watching peers', () => {
  const started = (list: string[]) => {
    const [peers, clock] = [new MemoryPeers(), handClock()];
    peers.list = list;
    for (const address of list)
      peers.answers.set(address, { node: `node-${address}`, roundTripMs: 4 });
    const watch = new PeerWatch('own:1', peers, peers, SETTINGS, clock, log, metrics());
    return { peers, clock, watch };
  };

  it('asks as many as it has landmarks, each as often as set, and never itself', async () => {
    const { peers, watch } = started(['own:1', 'a:1', 'b:1', 'c:1']);
    await watch.round();
    assert.equal(new Set(peers.asked).size, 2);
    assert.equal(peers.asked.length, 2 * SETTINGS.probesPerRound);
    assert.ok(!peers.asked.includes('own:1'));
  });

  it('goes round all of them cycle by cycle', async () => {
    const { peers, watch, clock } = started(['a:1', 'b:1', 'c:1', 'd:1']);
    for (let cycle = 0; cycle < 2; cycle += 1) {
      await watch.round();
      clock.ms += 60_000;
    }
    assert.deepEqual([...new Set(peers.asked)].sort(), ['a:1', 'b:1', 'c:1', 'd:1']);
  });

  it('asks whom it is told to for a while, and nobody who is no peer', async () => {
    const { peers, watch, clock } = started(['a:1', 'b:1', 'c:1', 'd:1']);
    await watch.round();
    const left = ['a:1', 'b:1', 'c:1', 'd:1'].filter((one) => !peers.asked.includes(one));
    const [wanted = '', other = ''] = left;
    assert.equal(watch.focus(wanted), true);
    assert.equal(watch.focus('evil:80'), false);
    peers.asked.length = 0;
    await watch.round();
    assert.ok(peers.asked.includes(wanted));
    assert.ok(!peers.asked.includes(other) && !peers.asked.includes('evil:80'));
    peers.asked.length = 0;
    // A whole number of turns: it is the same landmarks' turn again, and the focus is over.
    clock.ms += 120_000;
    await watch.round();
    assert.ok(!peers.asked.includes(wanted));
  });

  it('keeps what it knew of a silent peer with its time and the reason, and forgets one that left', async () => {
    const { peers, watch, clock } = started(['a:1', 'b:1']);
    await watch.round();
    const { atMs } = watch.peers.get('a:1')?.latency ?? {};
    peers.answers.delete('a:1');
    clock.ms += 5000;
    await watch.round();
    assert.equal(watch.peers.get('a:1')?.latency?.atMs, atMs);
    assert.equal(watch.peers.get('a:1')?.failure, 'silent');
    peers.list = ['b:1'];
    clock.ms += 10_000;
    await watch.round();
    assert.deepEqual([...watch.peers.keys()], ['b:1']);
    assert.equal(watch.peers.get('b:1')?.failure, undefined);
  });

  it('starts anew with a peer that comes back, and with another node at its address', async () => {
    const { peers, watch, clock } = started(['a:1']);
    await watch.round();
    clock.ms += SETTINGS.readingMaxAgeMs + 1;
    peers.answers.set('a:1', { node: 'node-a:1', roundTripMs: 90 });
    await watch.round();
    assert.deepEqual(watch.peers.get('a:1')?.latency, { value: 90, atMs: clock.ms, samples: 1 });
    clock.ms += 1000;
    peers.answers.set('a:1', { node: 'another', roundTripMs: 1 });
    await watch.round();
    assert.equal(watch.peers.get('a:1')?.latency?.value, 1);
  });

  it('goes on with the peers it knows when the list cannot be had', async () => {
    const { peers, watch, clock } = started(['a:1']);
    await watch.round();
    peers.list = undefined;
    peers.asked.length = 0;
    clock.ms += 20_000;
    await watch.round();
    assert.ok(peers.asked.includes('a:1'));
  });
});
