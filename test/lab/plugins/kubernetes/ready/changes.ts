import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../api/cluster';

/** A list to follow, for example one object by `metadata.name=x`. */
export interface Source {
  path: string;
  fieldSelector: string;
}

const LOOK_AGAIN_MS = 5_000;

/**
 * Yields at once and then whenever one of the sources changed, at least every five seconds (what a watch missed, and
 * pods that no source covers, show then), and a last time as `timeout`. Ends by throwing when the signal is aborted.
 */
export async function* changes(
  cluster: Cluster,
  sources: readonly Source[],
  limits: { timeoutMs: number; signal: AbortSignal },
): AsyncGenerator<'change' | 'timeout'> {
  const until = Date.now() + limits.timeoutMs;
  const stop = new AbortController();
  let wake = () => {};
  let changed = false;
  const notify = () => {
    changed = true;
    wake();
  };
  const cancel = () => {
    stop.abort();
    wake();
  };
  limits.signal.addEventListener('abort', cancel, { once: true });
  for (const source of sources) void follow(cluster, source, stop.signal, notify);
  try {
    yield 'change';
    for (;;) {
      limits.signal.throwIfAborted();
      const left = until - Date.now();
      if (left <= 0) break;
      if (!changed) {
        const pause = new AbortController();
        wake = () => pause.abort();
        await delay(Math.min(left, LOOK_AGAIN_MS), undefined, { signal: pause.signal }).catch(
          () => undefined,
        );
      }
      changed = false;
      yield 'change';
    }
    yield 'timeout';
  } finally {
    limits.signal.removeEventListener('abort', cancel);
    stop.abort();
  }
}

/** Watches one source until stopped; a broken watch is begun again. */
async function follow(
  cluster: Cluster,
  { path, fieldSelector }: Source,
  signal: AbortSignal,
  notify: () => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const events = cluster.watch(path, { fieldSelector }, signal);
      while (!(await events.next()).done) notify();
    } catch {
      // Whoever looks at the object meets the same error and reports it.
      await delay(1_000, undefined, { signal }).catch(() => undefined);
    }
  }
}
