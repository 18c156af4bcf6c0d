import { berthVerdict } from './policy/berths';
import type { Scaler } from './scaler';
import type { BerthVerdict, Decision, DecisionRule } from './types';

/** What /eligible answers. */
export interface EligibleReport {
  /** Whether the node-controller's count was used as well. */
  readonly source: 'controller' | 'own';
  /** What does not work as it should; empty when all is well. */
  readonly degraded: readonly string[];
  readonly thresholdRatio: number;
  readonly nodes: readonly BerthVerdict[];
}

/** A ScaledJob in what /allowed answers. */
export interface QueueEntry {
  /** `namespace/name`. */
  readonly scaledJob: string;
  readonly state: 'queued' | 'granted' | 'running' | 'done' | 'failed';
  /** Place among those that wait, from 1; null for others. */
  readonly position: number | null;
  /** Since when it waits, or when it was granted a berth, in ms since 1970; null when that is not known. */
  readonly sinceMs: number | null;
  readonly why: string;
}

/** What /allowed answers. */
export interface AllowedReport {
  /** Berths of nodes below CPU_THRESHOLD that are free and promised to nobody. */
  readonly freeBerths: number;
  readonly degraded: readonly string[];
  /** Those that wait in their order, then all others by name. */
  readonly queue: readonly QueueEntry[];
}

/** Every node, and whether its berth is to be had. */
export function eligibleReport(scaler: Scaler, nowMs: number): EligibleReport {
  const thresholdRatio = scaler.settings.cpuThreshold;
  const nodes = scaler
    .berthNodes()
    .map((node) => berthVerdict(node, thresholdRatio, scaler.berthOptions, nowMs))
    .sort((a, b) => (a.slot ?? 1000) - (b.slot ?? 1000) || (a.node < b.node ? -1 : 1));
  return { source: scaler.source, degraded: scaler.degraded, thresholdRatio, nodes };
}

/** Every ScaledJob, and where it stands. @param monotonicMs the time by the clock of the ledger. */
export function allowedReport(
  scaler: Scaler,
  scaledJobs: Iterable<string>,
  nowMs: number,
  monotonicMs: number,
): AllowedReport {
  const { ledger, settings } = scaler;
  const world = scaler.world();
  const fallback = { thresholdRatio: settings.cpuThreshold, slot: null, mode: settings.mode };
  const positions = new Map([...ledger.queue.keys()].map((key, index) => [key, index + 1]));
  const entries = [...scaledJobs].map((key): QueueEntry => {
    const identity = ledger.identities.get(key);
    const decision = ledger.peek(key, identity?.demand ?? fallback, monotonicMs, world);
    const grant = ledger.grants.get(key);
    const sinceMs = grant?.givenAtMs ?? identity?.waitingSinceMs ?? null;
    const position = positions.get(key) ?? null;
    return {
      scaledJob: key,
      state: stateOf(decision, grant !== undefined),
      position,
      sinceMs: sinceMs === null ? null : Math.round(nowMs - (monotonicMs - sinceMs)),
      why: whyOf(decision.rule, {
        asked: identity !== undefined,
        granted: grant !== undefined,
        paused: world.scaledJob(key)?.paused === true,
        closed: world.closed,
        slot: identity?.demand.slot ?? null,
      }),
    };
  });
  const place = ({ position }: QueueEntry): number => position ?? Infinity;
  entries.sort((a, b) =>
    place(a) === place(b) ? (a.scaledJob < b.scaledJob ? -1 : 1) : place(a) - place(b),
  );
  const freeBerths =
    world.closed === undefined ? ledger.remaining(settings.cpuThreshold, monotonicMs, world) : 0;
  return { freeBerths, degraded: scaler.degraded, queue: entries };
}

function stateOf({ rule }: Decision, granted: boolean): QueueEntry['state'] {
  if (rule === 'running' || rule === 'done' || rule === 'failed') return rule;
  return granted ? 'granted' : 'queued';
}

interface WhyContext {
  readonly asked: boolean;
  readonly granted: boolean;
  readonly paused: boolean;
  readonly closed: string | undefined;
  readonly slot: number | null;
}

function whyOf(rule: DecisionRule, context: WhyContext): string {
  if (context.granted && rule === 'granted') return 'a berth is kept for it, its Job is awaited';
  const waits = rule !== 'running' && rule !== 'done' && rule !== 'failed';
  if (waits && context.paused) return 'it is paused, so KEDA does not ask for it';
  if (waits && !context.asked)
    return 'KEDA has not asked for it lately: the log of keda-operator says why';
  const texts: Record<DecisionRule, string> = {
    granted: 'it gets a berth as soon as KEDA asks for it',
    'grant-closing': 'no Job was made in time; its berth is kept a little longer',
    unknown: 'there is no such ScaledJob',
    running: 'a Job of it has not ended',
    done: 'a Job of its present generation has completed (mode once)',
    failed: 'too many Jobs of its present generation have failed (mode once)',
    closed: context.closed ?? 'nothing is granted',
    'no-free-berth': 'no berth is free',
    'slot-not-free': `the node of slot ${context.slot} is not free`,
    'waits-its-turn': 'the free berths are for those that have waited longer',
  };
  return texts[rule];
}
