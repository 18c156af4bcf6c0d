import { z } from 'zod';

const ratio = z.number().min(0).max(1);
const notNegative = z.number().min(0);

const peerSchema = z.object({
  /** Round trip to the peer and back, smoothed. */
  latencyMs: notNegative,
  /** min(1, latencyMs / fullScaleMs). */
  latencyRatio: ratio,
  /** How long ago the last answer came. */
  ageMs: notNegative,
  /** Answers that went into it. */
  samples: notNegative,
});

/**
 * What a prober answers on `/scores` about the node it runs on. What is not known is null, or left out of `peers` and
 * named in `unknownPeers`; it is never 0. Ages instead of times: the clocks of two nodes may differ.
 */
export const proberScoresSchema = z.object({
  node: z.string().min(1),
  cpu: z
    .object({
      /** Smoothed use of the node's processors, 0 idle, 1 all of them. */
      cpuRatio: ratio,
      ageMs: notNegative,
      /** Processors that a ratio of 1 stands for. */
      cores: z.number().positive(),
      source: z.enum(['cgroup', 'proc']),
    })
    .nullable(),
  /** The round trip that counts as a latency ratio of 1. */
  fullScaleMs: z.number().positive(),
  /** Median over the known peers; null when none is known. */
  median: z.object({ latencyMs: notNegative, latencyRatio: ratio }).nullable(),
  /** By name of the peer's node. */
  peers: z.record(z.string(), peerSchema),
  /** Peers that are asked and of which nothing fresh is known: why. By node, or by address before the first answer. */
  unknownPeers: z.record(z.string(), z.string()),
  /** True where this prober delays its answers to others on purpose (SIMULATED_LATENCIES_MS). */
  simulated: z.boolean(),
});

export type ProberScores = z.infer<typeof proberScoresSchema>;
/** Latency to one peer. */
export type PeerLatency = z.infer<typeof peerSchema>;
