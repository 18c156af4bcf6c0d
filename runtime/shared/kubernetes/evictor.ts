import type { KubeApi } from './api';
import { ApiError } from './api-error';

/** Which pod. */
export interface PodRef {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** What became of an eviction. */
export type EvictOutcome =
  | { readonly kind: 'evicted' }
  | { readonly kind: 'gone' }
  /** A PodDisruptionBudget forbids it now. */
  | { readonly kind: 'protected'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

/** Evicts pods through the Eviction API. */
export interface Evictor {
  evict(pod: PodRef): Promise<EvictOutcome>;
}

/** Evicts through pods/eviction of the API server, which asks the PodDisruptionBudgets. */
export class KubeEvictor implements Evictor {
  constructor(private readonly api: KubeApi) {}

  async evict({ namespace, name, uid }: PodRef): Promise<EvictOutcome> {
    try {
      await this.api.request({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/pods/${name}/eviction`,
        // The server itself tries for about 10 s before it says that the uid is another one.
        timeoutMs: 30_000,
        body: {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { namespace, name },
          deleteOptions: { preconditions: { uid } },
        },
      });
      return { kind: 'evicted' };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof ApiError) {
        if (error.status === 404 || error.status === 409) return { kind: 'gone' };
        if (error.status === 429) return { kind: 'protected', message };
      }
      return { kind: 'failed', message };
    }
  }
}
