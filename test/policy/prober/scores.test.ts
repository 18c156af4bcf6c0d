import assert from 'node:assert/strict';
import { scoresAt, type Knowledge } from '../../../runtime/prober/policy/scores';
import type { PeerState } from '../../../runtime/prober/types';
import { proberScoresSchema } from '../../../runtime/shared/prober-scores';

const NOW_MS = 1_000_000;
const SETTINGS = { readingMaxAgeMs: 30_000, latencyFullScaleMs: 100, simulated: false };

const measured = (node: string, latencyMs: number, ageMs: number, failure?: string): PeerState => ({
  node,
  latency: { value: latencyMs, atMs: NOW_MS - ageMs, samples: 5 },
  failure,
});
const knowing = (peers: Record<string, PeerState>, cpuAgeMs = 1000): Knowledge => ({
  node: 'me',
  cpu: { usage: { value: 0.25, atMs: NOW_MS - cpuAgeMs, samples: 9 }, cores: 2, source: 'proc' },
  peers: new Map(Object.entries(peers)),
});
const scores = (knowledge: Knowledge) => scoresAt(knowledge, SETTINGS, NOW_MS);

describe('prober: what it answers', () => {
  it('gives each fresh reading with its age, and the median', () => {
    const answer = scores(
      knowing({
        '10.0.0.2:3000': measured('b', 10, 500),
        '10.0.0.3:3000': measured('c', 250, 900),
      }),
    );
    assert.deepEqual(answer, {
      node: 'me',
      cpu: { cpuRatio: 0.25, ageMs: 1000, cores: 2, source: 'proc' },
      fullScaleMs: 100,
      median: { latencyMs: 130, latencyRatio: 1 },
      peers: {
        b: { latencyMs: 10, latencyRatio: 0.1, ageMs: 500, samples: 5 },
        c: { latencyMs: 250, latencyRatio: 1, ageMs: 900, samples: 5 },
      },
      unknownPeers: {},
      simulated: false,
    });
    assert.deepEqual(proberScoresSchema.parse(answer), answer);
  });

  it('lets a silent peer keep its last value, then become unknown with a reason, and never zero', () => {
    const at = (ageMs: number) => scores(knowing({ x: measured('b', 10, ageMs, 'no answer') }));
    assert.equal(at(30_000).peers['b']?.latencyMs, 10);
    const after = at(30_001);
    assert.deepEqual(after.peers, {});
    assert.equal(after.median, null);
    assert.match(after.unknownPeers['b'] ?? '', /30001 ms ago: no answer/);
  });

  it('names a peer that never answered by its address, and one not yet asked not at all', () => {
    const { unknownPeers, peers } = scores(
      knowing({
        'x:1': { node: undefined, latency: undefined, failure: 'refused' },
        'y:1': { node: undefined, latency: undefined, failure: undefined },
      }),
    );
    assert.deepEqual(unknownPeers, { 'x:1': 'never answered: refused' });
    assert.deepEqual(peers, {});
  });

  it('takes the newer of two addresses of one node, and leaves itself out', () => {
    const old = measured('b', 90, 29_000, 'gone');
    const gone = measured('b', 90, 40_000, 'gone');
    const fresh = measured('b', 5, 10);
    const orders: Record<string, PeerState>[] = [
      { old, fresh },
      { fresh, old, gone },
    ];
    for (const others of orders) {
      const answer = scores(knowing({ ...others, mine: measured('me', 0.1, 5) }));
      assert.deepEqual(Object.keys(answer.peers), ['b']);
      assert.equal(answer.peers['b']?.latencyMs, 5);
      assert.deepEqual(answer.unknownPeers, {});
    }
  });

  it('does not know its CPU before it was read, nor when that is too long ago', () => {
    assert.equal(scores(knowing({}, 30_001)).cpu, null);
    assert.equal(scores({ ...knowing({}), cpu: undefined }).cpu, null);
    assert.equal(scores(knowing({}, 30_000)).cpu?.cpuRatio, 0.25);
  });
});
