import { ApiError } from '../../shared/kubernetes/api-error';
import type { KubeApi } from '../../shared/kubernetes/api';
import type { EvictOutcome, Evictor } from '../ports';
import type { PodRef } from '../types';

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
