import { pino } from 'pino';
import { MemoryNotices } from '../../../runtime/latency-extender/adapters/memory';
import { Answers, type AnswerSettings } from '../../../runtime/latency-extender/loop/answers';
import { RatingHistory } from '../../../runtime/latency-extender/loop/history';
import { NodeTable } from '../../../runtime/latency-extender/loop/node-table';
import { Placements } from '../../../runtime/latency-extender/loop/placements';
import { latencyExtenderMetrics } from '../../../runtime/latency-extender/metrics';
import {
  latencyExtenderSettings,
  type LatencyExtenderSettings,
} from '../../../runtime/latency-extender/settings';
import type { AskedPod, ProbedNode } from '../../../runtime/latency-extender/types';
import type { ExtenderArgs } from '../../../runtime/latency-extender/wire/extender-args';
import { Fragments } from '../../../runtime/latency-extender/wire/fragments';
import { createMetrics } from '../../../runtime/shared/metrics';
import type { ProberScores } from '../../../runtime/shared/prober-scores';
import { parseSettings } from '../../../runtime/shared/settings';

export const NOW_MS = Date.parse('2026-01-01T12:00:00Z');
export const SETTINGS = parseSettings(latencyExtenderSettings, {});
export const log = pino({ level: 'silent' });
export const metrics = () =>
  latencyExtenderMetrics(createMetrics('latency_extender', { processMetrics: false }));

/** What a prober says: CPU 0..1 or null, latency in milliseconds by peer; full scale 100 ms. */
export const scores = (
  node: string,
  cpuRatio: number | null,
  latenciesMs: Readonly<Record<string, number>> = {},
): ProberScores => {
  const peers = Object.fromEntries(
    Object.entries(latenciesMs).map(([peer, latencyMs]) => [
      peer,
      { latencyMs, latencyRatio: Math.min(1, latencyMs / 100), ageMs: 0, samples: 3 },
    ]),
  );
  const [first] = Object.values(peers);
  return {
    node,
    cpu: cpuRatio === null ? null : { cpuRatio, ageMs: 0, cores: 2, source: 'proc' },
    fullScaleMs: 100,
    median:
      first === undefined ? null : { latencyMs: first.latencyMs, latencyRatio: first.latencyRatio },
    peers,
    unknownPeers: {},
    simulated: false,
  };
};

/** A node whose prober answered ageMs ago. */
export const probed = (said: ProberScores, ageMs = 0): ProbedNode => ({
  node: said.node,
  reading: { scores: said, receivedAtMs: NOW_MS - ageMs },
  failure: undefined,
});

/** Nodes by name: CPU, and latency in milliseconds to `busy`, the node with the traffic. */
export const cluster = (
  nodes: Readonly<Record<string, readonly [cpuRatio: number, latencyMs: number]>>,
): ProbedNode[] => [
  probed(scores('busy', 0.99, { other: 1 })),
  ...Object.entries(nodes).map(([node, [cpuRatio, latencyMs]]) =>
    probed(scores(node, cpuRatio, { busy: latencyMs })),
  ),
];

export const askedPod = (name: string, cpuMillis?: number): AskedPod => ({
  namespace: 'default',
  name,
  uid: `uid-${name}`,
  cpuMillis,
});

export const byNames = (names: readonly string[], pod = askedPod('pod')): ExtenderArgs => ({
  pod,
  names,
  nodeList: undefined,
});

/** The extender without its surroundings, over these nodes. */
export function extender(
  nodes: readonly ProbedNode[],
  more: Partial<LatencyExtenderSettings & AnswerSettings> = {},
  busiest: string | undefined = 'busy',
) {
  const settings = { ...SETTINGS, ...more };
  const notices = new MemoryNotices();
  const history = new RatingHistory(100);
  const placements: Placements = new Placements(settings, (node) => table.refresh(node, NOW_MS));
  const table = new NodeTable(settings, placements);
  const answers = new Answers(table, placements, history, notices, new Fragments(), settings);
  const rebuild = (present: readonly ProbedNode[] = nodes, nowMs = NOW_MS): void =>
    table.rebuild(present, { node: busiest, why: 'no node has traffic' }, nowMs);
  rebuild();
  return { answers, history, notices, placements, rebuild, settings, table };
}

export interface FilterResult {
  readonly NodeNames?: string[];
  readonly Nodes?: { readonly items: { metadata: { name: string } }[] };
  readonly FailedNodes: Record<string, string>;
  readonly Error: string;
}
export const parseFilter = (text: string): FilterResult => JSON.parse(text) as FilterResult;

/** The scores by node, of what /prioritize answers. */
export const parsePriorities = (text: string): Record<string, number> =>
  Object.fromEntries(
    (JSON.parse(text) as { Host: string; Score: number }[]).map(({ Host, Score }) => [Host, Score]),
  );
