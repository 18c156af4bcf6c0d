import { ApiError, ApiUnreachableError } from '../../shared/kubernetes/api-error';
import type { KubeApi } from '../../shared/kubernetes/api';
import type { Pod } from '../../shared/kubernetes/types';
import type { Binder, BindOutcome } from '../ports';
import type { PodRef } from '../types';

/** Binds through pods/binding of the API server. */
export class KubeBinder implements Binder {
  constructor(private readonly api: KubeApi) {}

  async bind(
    pod: PodRef,
    node: string,
    annotations: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<BindOutcome> {
    const { namespace, name, uid } = pod;
    try {
      await this.api.request({
        method: 'POST',
        path: `${pathOf(pod)}/binding`,
        body: {
          apiVersion: 'v1',
          kind: 'Binding',
          // With the uid the server refuses to bind another pod of the same name.
          metadata: { namespace, name, uid, annotations },
          target: { apiVersion: 'v1', kind: 'Node', name: node },
        },
        signal,
      });
      return { kind: 'bound' };
    } catch (error) {
      return this.#outcomeOf(error, pod, node);
    }
  }

  async look(pod: PodRef, node: string): Promise<BindOutcome> {
    let found: Pod;
    try {
      found = await this.api.request<Pod>({ method: 'GET', path: pathOf(pod) });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return { kind: 'gone' };
      return { kind: 'unknown', message: messageOf(error) };
    }
    const { metadata, spec, status } = found;
    if (metadata.uid !== pod.uid || metadata.deletionTimestamp) return { kind: 'gone' };
    if (spec.nodeName === node) return { kind: 'bound' };
    if (spec.nodeName) return { kind: 'taken', node: spec.nodeName };
    if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return { kind: 'gone' };
    return { kind: 'retry', message: 'the pod is not bound' };
  }

  async #outcomeOf(error: unknown, pod: PodRef, node: string): Promise<BindOutcome> {
    if (error instanceof ApiUnreachableError) return { kind: 'unknown', message: error.message };
    if (!(error instanceof ApiError)) throw error;
    const { status, message, retryAfterMs } = error;
    if (status === 404) return { kind: 'gone' };
    if (status >= 500) return { kind: 'unknown', message };
    if (status === 409) {
      const seen = await this.look(pod, node);
      return seen.kind === 'retry' ? { kind: 'retry', message } : seen;
    }
    return { kind: 'retry', message, ...(retryAfterMs !== undefined && { afterMs: retryAfterMs }) };
  }
}

const pathOf = ({ namespace, name }: PodRef): string =>
  `/api/v1/namespaces/${namespace}/pods/${name}`;

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
