import type { KubeObject } from '../api/cluster';
import { isNotFound } from '../api/errors';
import type { Session } from '../session';
import { targetsPods, type Related } from './predicates';

/** Fetches what else decides whether an object is ready, and remembers how long endpoints have been the same. */
export class RelatedObjects {
  private seen = { version: '', sinceMs: 0 };

  constructor(private readonly session: Session) {}

  async of(object: KubeObject, signal: AbortSignal): Promise<Related> {
    const namespace = object.metadata.namespace ?? 'default';
    if (object.kind === 'Service' && targetsPods(object)) {
      const path = `/api/v1/namespaces/${namespace}/endpoints/${object.metadata.name}`;
      const endpoints = await this.get(path, signal);
      const version = endpoints?.metadata.resourceVersion ?? '';
      if (version !== this.seen.version) this.seen = { version, sinceMs: Date.now() };
      return { endpoints, endpointsSettledMs: Date.now() - this.seen.sinceMs };
    }
    const storageClass = object.spec?.storageClassName;
    if (object.kind === 'PersistentVolumeClaim' && typeof storageClass === 'string') {
      const path = `/apis/storage.k8s.io/v1/storageclasses/${storageClass}`;
      return { storageClass: await this.get(path, signal) };
    }
    return {};
  }

  private async get(path: string, signal: AbortSignal): Promise<KubeObject | undefined> {
    const cluster = await this.session.cluster();
    try {
      return await cluster.request('GET', path, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
