import type { ScalingSettings } from '../settings';
import type { Decision, Snapshot } from '../types';
import { decide } from './decide';

/** A decision of the past, and what it rested on. */
export interface PastDecision {
  readonly decision: Decision;
  readonly snapshot: Snapshot;
}

/** What was decided, and what would have been. */
export interface Replayed {
  readonly atMs: number;
  readonly was: Decision;
  readonly would: Decision;
  readonly differs: boolean;
}

/**
 * Decides again what was decided, under other settings. Each decision rests on the cluster as it really was at that
 * time, cooldowns included: what a different decision would have led to is not made up.
 */
export const replay = (past: readonly PastDecision[], settings: ScalingSettings): Replayed[] =>
  past.map(({ decision: was, snapshot }) => {
    const would = decide(snapshot, settings, was.atMs);
    return { atMs: was.atMs, was, would, differs: actionOf(was) !== actionOf(would) };
  });

/** What a decision does, in words; its reason is another matter. */
export function actionOf(decision: Decision): string {
  if (decision.kind === 'up') return `up ${decision.count}`;
  return decision.kind === 'down' ? `down ${decision.nodes.join(', ')}` : 'hold';
}
