import { seenAt, type Reading } from '../../shared/freshness';
import type { PeerLatency, ProberScores } from '../../shared/prober-scores';
import type { CpuState, PeerState } from '../types';
import type { Ewma } from './ewma';
import { latencyRatio, median } from './latency';

/** All that a prober knows. */
export interface Knowledge {
  readonly node: string;
  readonly cpu: CpuState | undefined;
  /** Of the peers in the list of peers, by address. */
  readonly peers: ReadonlyMap<string, PeerState>;
}

export interface ScoreSettings {
  readonly readingMaxAgeMs: number;
  readonly latencyFullScaleMs: number;
  readonly simulated: boolean;
}

/**
 * What is known at nowMs. A CPU reading, or a latency, whose last sample is older than readingMaxAgeMs is unknown: it
 * is neither kept nor replaced by 0. Of two addresses of one node the one that answered last counts.
 */
export function scoresAt(
  knowledge: Knowledge,
  settings: ScoreSettings,
  nowMs: number,
): ProberScores {
  const { node, cpu } = knowledge;
  const { readingMaxAgeMs, latencyFullScaleMs: fullScaleMs } = settings;
  const cpuSeen = seenAt(readingOf(cpu?.usage), nowMs, readingMaxAgeMs);
  const peers: Record<string, PeerLatency> = {};
  const unknownPeers: Record<string, string> = {};
  for (const [address, peer] of knowledge.peers) {
    if (peer.node === node) continue;
    const name = peer.node ?? address;
    const seen = seenAt(readingOf(peer.latency), nowMs, readingMaxAgeMs);
    if (seen.state === 'fresh') {
      const known = peers[name];
      if (known !== undefined && known.ageMs <= seen.ageMs) continue;
      peers[name] = {
        latencyMs: seen.value,
        latencyRatio: latencyRatio(seen.value, fullScaleMs),
        ageMs: seen.ageMs,
        samples: peer.latency?.samples ?? 0,
      };
    } else if (seen.state === 'stale') {
      unknownPeers[name] = `last measured ${Math.round(seen.ageMs)} ms ago${because(peer.failure)}`;
    } else if (peer.failure !== undefined) {
      unknownPeers[name] = `never answered: ${peer.failure}`;
    }
  }
  for (const name of Object.keys(peers)) delete unknownPeers[name];
  const medianMs = median(Object.values(peers).map(({ latencyMs }) => latencyMs));
  return {
    node,
    cpu:
      cpu === undefined || cpuSeen.state !== 'fresh'
        ? null
        : { cpuRatio: cpuSeen.value, ageMs: cpuSeen.ageMs, cores: cpu.cores, source: cpu.source },
    fullScaleMs,
    median:
      medianMs === undefined
        ? null
        : { latencyMs: medianMs, latencyRatio: latencyRatio(medianMs, fullScaleMs) },
    peers,
    unknownPeers,
    simulated: settings.simulated,
  };
}

const readingOf = (average: Ewma | undefined): Reading<number> =>
  average === undefined
    ? { state: 'unknown', why: 'never read' }
    : { state: 'known', value: average.value, takenAtMs: average.atMs };

const because = (failure: string | undefined): string =>
  failure === undefined ? '' : `: ${failure}`;
