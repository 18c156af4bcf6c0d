import { setTimeout as delay } from 'node:timers/promises';

/** Does something within a time limit. @throws when it fails or takes too long, and may then happen yet */
export async function withinLimit<T>(timeoutMs: number, acting: Promise<T>): Promise<T> {
  const limit = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`MongoDB: no answer within ${timeoutMs} ms`);
  });
  try {
    return await Promise.race([acting, late]);
  } finally {
    limit.abort();
    // The one that lost is nobody's any more.
    for (const promise of [acting, late]) promise.catch(() => undefined);
  }
}
