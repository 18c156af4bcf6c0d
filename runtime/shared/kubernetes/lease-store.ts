import type { KubeApi } from './api';
import { ApiError } from './api-error';
import type { Lease } from './types';

/** Where a Lease is kept. Writing is refused (`conflict`) when it has changed since it was read. */
export interface LeaseStore {
  /** undefined when there is none. @throws when the answer is unknown. */
  read(timeoutMs: number): Promise<Lease | undefined>;
  /** Creates it when it has no resourceVersion, else updates it. @throws when the outcome is unknown. */
  write(lease: LeaseDraft, timeoutMs: number): Promise<Lease | 'conflict'>;
}

/** A Lease as it is to be. */
export interface LeaseDraft {
  readonly resourceVersion?: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: NonNullable<Lease['spec']>;
}

/** A Lease in the API server. */
export function kubeLeaseStore(api: KubeApi, namespace: string, name: string): LeaseStore {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  return {
    async read(timeoutMs) {
      try {
        const path = `${collection}/${name}`;
        return await api.request<Lease>({ method: 'GET', path, timeoutMs, urgent: true });
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },
    async write({ resourceVersion, annotations, spec }, timeoutMs) {
      const exists = resourceVersion !== undefined;
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace, annotations, ...(exists && { resourceVersion }) },
        spec,
      };
      try {
        return await api.request<Lease>({
          method: exists ? 'PUT' : 'POST',
          path: exists ? `${collection}/${name}` : collection,
          body,
          timeoutMs,
          urgent: true,
        });
      } catch (error) {
        if (error instanceof ApiError && (error.status === 409 || error.status === 404)) {
          return 'conflict';
        }
        throw error;
      }
    },
  };
}

/** A Lease in memory, which keeps the same promises; for tests. */
export class MemoryLeaseStore implements LeaseStore {
  #lease: Lease | undefined;
  #version = 0;
  /** While true every call fails as if the server could not be reached. */
  broken = false;

  async read(): Promise<Lease | undefined> {
    if (this.broken) throw new Error('unreachable');
    return this.#lease;
  }

  async write({ resourceVersion, annotations, spec }: LeaseDraft): Promise<Lease | 'conflict'> {
    if (this.broken) throw new Error('unreachable');
    if (resourceVersion !== this.#lease?.metadata.resourceVersion) return 'conflict';
    this.#version += 1;
    const metadata = { name: 'lease', uid: 'lease', annotations };
    this.#lease = { metadata: { ...metadata, resourceVersion: String(this.#version) }, spec };
    return this.#lease;
  }
}
