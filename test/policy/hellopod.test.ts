import assert from 'node:assert/strict';
import { latencyOf } from '../../runtime/hellopod/policy/latency';
import { NEVER_READ, type Reading } from '../../runtime/shared/freshness';
import type { ProberScores } from '../../runtime/shared/prober-scores';
import { NOW_MS, scores } from './latency-extender/support';

const MAX_AGE_MS = 30_000;
const heard = (value: ProberScores, ageMs = 0): Reading<ProberScores> => ({
  state: 'known',
  value,
  takenAtMs: NOW_MS - ageMs,
});
const latency = (reading: Reading<ProberScores>) => latencyOf(reading, 'me', NOW_MS, MAX_AGE_MS);

describe('hellopod', () => {
  it('says how far its node is from others', () => {
    assert.deepEqual(latency(heard(scores('me', 0.2, { a: 4, b: 60 }), MAX_AGE_MS)), {
      state: 'known',
      medianMs: 4,
      toNodesMs: { a: 4, b: 60 },
    });
  });

  const unknown: [string, Reading<ProberScores>, RegExp][] = [
    ['it never heard of the prober', NEVER_READ, /never read/],
    ['that was too long ago', heard(scores('me', 0.2, { a: 4 }), MAX_AGE_MS + 1), /30001 ms ago/],
    ['another node answers', heard(scores('you', 0.2, { a: 4 })), /is on you, not on this node/],
    ['there is no other node', heard(scores('me', 0.2)), /knows of no other node/],
  ];
  for (const [name, reading, why] of unknown)
    it(`does not know it when ${name}`, () => {
      const said = latency(reading);
      assert.equal(said.state, 'unknown');
      assert.match(said.state === 'unknown' ? said.why : '', why);
    });
});
