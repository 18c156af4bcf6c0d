import type { Decision } from '../types';

/**
 * Whether a decision is kept for replay: each that does something, each that differs in kind, workers or pods that wait
 * from the last one kept, and one every interval.
 */
export function isWorthRecording(
  last: Decision | undefined,
  decision: Decision,
  intervalMs: number,
): boolean {
  return (
    last === undefined ||
    decision.kind !== 'hold' ||
    last.kind !== 'hold' ||
    decision.evidence.workers !== last.evidence.workers ||
    decision.evidence.pending !== last.evidence.pending ||
    decision.atMs - last.atMs >= intervalMs
  );
}
