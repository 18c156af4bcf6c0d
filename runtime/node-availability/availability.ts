import { seenAt, type Reading, type SeenReading } from '../shared/freshness';
import {
  ELIGIBLE_LABEL,
  repels,
  SLOT_LABEL,
  type AvailabilityOptions,
  type NodeRule,
  type NodeVerdict,
  type ObservedNode,
} from './types';

/**
 * Whether a node may take an analyzer at nowMs: eligible, not excluded, ready, schedulable, without a taint that
 * repels, its CPU known and below the threshold. The first rule that fails is the one that is named.
 */
export function nodeVerdict(
  node: ObservedNode,
  reading: Reading<number>,
  options: AvailabilityOptions,
  nowMs: number,
): NodeVerdict {
  const seen = seenAt(reading, nowMs, options.maxAgeMs);
  const refusal = refusalOf(node, seen, options);
  return {
    node: node.name,
    available: refusal === undefined,
    ...(refusal !== undefined && { rule: refusal[0], why: refusal[1] }),
    slot: slotOf(node.labels),
    cpuRatio: seen.state === 'fresh' ? seen.value : null,
    cpuAgeMs: seen.state === 'unknown' ? null : seen.ageMs,
  };
}

/** N of `posture/slot=slot-N`, a whole number from 1 to 999; null for anything else. */
export function slotOf(labels: Readonly<Record<string, string>>): number | null {
  const digits = /^slot-([1-9]\d{0,2})$/.exec(labels[SLOT_LABEL] ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

function refusalOf(
  node: ObservedNode,
  seen: SeenReading<number>,
  { thresholdRatio, maxAgeMs, excluded }: AvailabilityOptions,
): readonly [NodeRule, string] | undefined {
  if (node.labels[ELIGIBLE_LABEL] !== 'true')
    return ['not-eligible', `not labelled ${ELIGIBLE_LABEL}=true`];
  if (excluded.has(node.name)) return ['excluded', 'excluded by EXCLUDE_NODES'];
  if (!node.ready) return ['not-ready', 'its condition Ready is not True'];
  if (node.unschedulable) return ['unschedulable', 'cordoned'];
  const taint = node.taints.find(repels);
  if (taint !== undefined)
    return ['tainted', `has taint ${taint.key}:${taint.effect}, which analyzers do not tolerate`];
  if (seen.state === 'unknown') return ['cpu-unknown', `no CPU reading: ${seen.why}`];
  if (seen.state === 'stale') {
    const age = `${Math.round(seen.ageMs / 1000)} s old`;
    return ['cpu-unknown', `its CPU reading is ${age}, more than ${maxAgeMs / 1000} s`];
  }
  // Not `>=`: what is no number is not below the threshold either.
  if (!(seen.value < thresholdRatio))
    return ['over-threshold', `CPU ${seen.value.toFixed(3)} is not below ${thresholdRatio}`];
  return undefined;
}
