import type { Clock } from '../../shared/clock';
import type { KubeApi } from '../../shared/kubernetes/api';
import { EXPERIMENT_NAMESPACE } from '../names';
import type { RevisionClock } from '../policy/revision-clock';

/** Rest between an answer and the next question: the finest that a change can be timed. */
const INTERVAL_MS = 25;
/** After a question without an answer. */
const RETRY_MS = 500;

/**
 * Asks the API server for its newest revision until the signal aborts; never rejects. It is that of a list of one
 * event, because events are the one kind of which the API server keeps no copy: the answer is the store's own.
 */
export async function readRevisions(
  api: KubeApi,
  revisions: RevisionClock,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  // Wall time at the start, and from then on by a clock that nobody sets.
  const epochMs = clock.nowMs() - clock.monotonicMs();
  while (!signal.aborted) {
    const sentMs = epochMs + clock.monotonicMs();
    let waitMs = INTERVAL_MS;
    try {
      const { metadata } = await api.request<{ metadata: { resourceVersion: string } }>({
        method: 'GET',
        path: `/api/v1/namespaces/${EXPERIMENT_NAMESPACE}/events`,
        query: { limit: 1 },
        urgent: true,
        signal,
      });
      revisions.add(Number(metadata.resourceVersion), sentMs, epochMs + clock.monotonicMs());
    } catch {
      // What changes meanwhile is timed the more roughly.
      waitMs = RETRY_MS;
    }
    await clock.sleep(waitMs, signal);
  }
}
