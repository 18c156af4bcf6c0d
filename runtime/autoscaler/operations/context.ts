import type { Clock, Cluster, Containers, Disruptions, History, LiveState } from '../ports';
import type { OperationSettings, ScalingSettings } from '../settings';
import type { Operation, ScalingEvent, WorkerRecord } from '../types';

/** What operations act on. */
export interface Outside {
  readonly containers: Containers;
  readonly cluster: Cluster;
  readonly live: LiveState;
  readonly history: History;
  readonly disruptions: Disruptions;
  readonly clock: Clock;
}

/** The settings that operations rest on. */
export type Limits = OperationSettings &
  Pick<
    ScalingSettings,
    'minNodes' | 'maxNodes' | 'permanentWorkers' | 'evictBarePods' | 'evictionCooldownMs' | 'dryRun'
  >;

/** What an operation works with. */
export interface Context extends Outside {
  readonly limits: Limits;
  /** Told what went wrong without ending the operation: the history is away, say. */
  problem(what: string, error: unknown): void;
  /** Aborts when this may not act any more; operations then stop where they are, and stay in the journal. */
  readonly signal: AbortSignal;
}

/** What became of an operation. */
export type Outcome =
  | { readonly outcome: 'done' }
  /** Everything is as it was before. */
  | { readonly outcome: 'undone'; readonly why: string };

/** It could neither be finished nor undone now; it stays in the journal and is taken up again. */
export class Interrupted extends Error {
  constructor(operation: Operation, cause: unknown) {
    const what = cause instanceof Error ? cause.message : String(cause);
    super(`${operation.kind} of ${operation.worker} stopped at ${operation.step}: ${what}`, {
      cause,
    });
    this.name = 'Interrupted';
  }
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/**
 * Looks every pollIntervalMs whether a condition holds, and at least once. What fails while it looks is not final.
 * @throws Error after the deadline, or when this may not act any more
 */
export async function waitUntil(
  context: Context,
  what: string,
  deadlineMs: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  const { clock, limits, signal } = context;
  for (;;) {
    let last: unknown;
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    if (clock.nowMs() >= deadlineMs)
      throw new Error(
        `${what}: not in time${last === undefined ? '' : ` (last: ${messageOf(last)})`}`,
      );
    await clock.sleep(limits.pollIntervalMs, signal);
    stopIfAborted(context);
  }
}

/** @throws Error when this may not act any more */
export function stopIfAborted({ signal }: Context): void {
  if (signal.aborted) throw new Error('it is not the leader any more, or is stopping');
}

/** The event that tells of an operation; the same one each time it is asked for, but for the time. */
export const eventOf = (operation: Operation, outcome: Outcome, atMs: number): ScalingEvent => ({
  id: operation.id,
  kind: operation.kind === 'up' ? 'scale_up' : 'scale_down',
  outcome: outcome.outcome,
  worker: operation.worker,
  reason: outcome.outcome === 'undone' ? `${operation.reason}: ${outcome.why}` : operation.reason,
  atMs,
});

/** What is kept of the worker of an operation. */
export const recordOf = (
  operation: Operation,
  status: WorkerRecord['status'],
  createdAtMs: number,
): WorkerRecord => ({
  name: operation.worker,
  number: operation.number,
  permanent: false,
  status,
  createdAtMs,
});

/** Writes to the history, which may be away: reconciliation makes good what is missing there. */
export async function tellHistory(
  context: Context,
  write: (history: History) => Promise<void>,
): Promise<void> {
  try {
    await write(context.history);
  } catch (error) {
    context.problem('the history could not be written', error);
  }
}
