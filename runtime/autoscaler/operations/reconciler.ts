import { reconcile, type Fix, type FourSources } from '../policy/reconcile';
import { messageOf, type Context } from './context';

/** One comparison of the four sources, and what came of it. */
export interface ReconcileReport {
  readonly atMs: number;
  readonly durationMs: number;
  /** All that differs. */
  readonly found: readonly Fix[];
  /** What of it was mended; nothing in a dry run. */
  readonly fixed: readonly Fix[];
  readonly failed: readonly { readonly fix: Fix; readonly why: string }[];
  /** Sources that could not be asked. */
  readonly unknown: readonly string[];
}

type Outside = Pick<
  Context,
  'containers' | 'cluster' | 'live' | 'history' | 'clock' | 'limits' | 'problem'
>;
/** So many events go to the history at once. */
const BATCH = 100;

/**
 * Compares what Docker, Kubernetes, Redis and MongoDB say and mends what differs; then gives the history the events
 * that it has not got yet. A fix that fails does not keep the others from being tried; the next round finds it again.
 */
export async function reconcileOnce(outside: Outside): Promise<ReconcileReport> {
  const { clock, limits } = outside;
  const startedMs = clock.monotonicMs();
  const { sources, unknown } = await observe(outside);
  const fixed: Fix[] = [];
  const failed: { fix: Fix; why: string }[] = [];
  const found = reconcile(sources, limits, clock.nowMs());
  for (const fix of limits.dryRun ? [] : found) {
    try {
      await apply(fix, outside);
      fixed.push(fix);
    } catch (error) {
      failed.push({ fix, why: messageOf(error) });
    }
  }
  if (!limits.dryRun && !unknown.includes('live') && !unknown.includes('history')) {
    try {
      await sendEvents(outside);
    } catch (error) {
      outside.problem('events could not be given to the history', error);
    }
  }
  const durationMs = clock.monotonicMs() - startedMs;
  return { atMs: clock.nowMs(), durationMs, found, fixed, failed, unknown };
}

async function observe(outside: Outside): Promise<{ sources: FourSources; unknown: string[] }> {
  const unknown: string[] = [];
  const ask = async <T>(name: string, question: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await question();
    } catch (error) {
      unknown.push(name);
      outside.problem(`reconciliation could not ask: ${name}`, error);
      return undefined;
    }
  };
  const { containers, cluster, live, history } = outside;
  // The journal is read before and after: what one is at work on meanwhile is in one of them.
  const before = await ask('journal', () => live.operations());
  const [made, nodes, stored] = await Promise.all([
    ask('containers', () => containers.list()),
    ask('nodes', () => cluster.nodes()),
    ask('history', () => history.workers()),
  ]);
  const state = await ask('live', async () => {
    const [workers, counter] = [await live.workers(), await live.counter()];
    if (before === undefined) throw new Error('the journal could not be read');
    return { workers, counter, operations: [...before, ...(await live.operations())] };
  });
  return { sources: { containers: made, nodes, live: state, history: stored }, unknown };
}

async function apply(fix: Fix, outside: Outside): Promise<void> {
  const { containers, cluster, live, history, clock } = outside;
  switch (fix.act) {
    case 'remove-container':
      return containers.remove(fix.worker);
    case 'delete-node':
      await cluster.deleteNode(fix.worker);
      return cluster.deleteNodePassword(fix.worker);
    case 'remove-live':
      return live.removeWorker(fix.worker);
    case 'remove-history':
      return history.removeWorker(fix.worker, clock.nowMs());
    case 'put-live':
      return live.putWorker(fix.record);
    case 'put-history':
      return history.putWorker(fix.record);
    case 'raise-counter':
      return live.raiseCounter(fix.to);
  }
}

/** Gives the history the events that it has not got yet, in order. @throws when one of the two is away */
export async function sendEvents({
  live,
  history,
}: Pick<Outside, 'live' | 'history'>): Promise<void> {
  for (;;) {
    const events = await live.unsentEvents(BATCH);
    if (events.length === 0) return;
    await history.addEvents(events);
    await live.eventsSent(events.map(({ id }) => id));
  }
}
