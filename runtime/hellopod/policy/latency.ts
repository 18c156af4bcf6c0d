import { seenAt, type Reading } from '../../shared/freshness';
import type { ProberScores } from '../../shared/prober-scores';
import type { Latency } from '../types';

/** What to say of the latency of `node` at nowMs, from what its prober said. Unknown is said to be unknown, and why. */
export function latencyOf(
  heard: Reading<ProberScores>,
  node: string,
  nowMs: number,
  maxAgeMs: number,
): Latency {
  const seen = seenAt(heard, nowMs, maxAgeMs);
  if (seen.state === 'unknown') return { state: 'unknown', why: seen.why };
  if (seen.state === 'stale')
    return { state: 'unknown', why: `the prober was last heard of ${seen.ageMs} ms ago` };
  const { median, peers, node: probed } = seen.value;
  if (probed !== node)
    return { state: 'unknown', why: `the prober that answers is on ${probed}, not on this node` };
  if (median === null) return { state: 'unknown', why: 'the prober knows of no other node' };
  const toNodesMs = Object.fromEntries(
    Object.entries(peers).map(([peer, { latencyMs }]) => [peer, latencyMs]),
  );
  return { state: 'known', medianMs: median.latencyMs, toNodesMs };
}
