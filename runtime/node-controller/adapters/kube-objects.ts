import { ApiError } from '../../shared/kubernetes/api-error';
import type { KubeApi } from '../../shared/kubernetes/api';
import type { Pod } from '../../shared/kubernetes/types';
import type { Jobs, NodeLabels, WriteOutcome } from '../ports';
import type { LabelPatch, ObservedJob, Work } from '../types';
import { observedJob, observedPod, type RawJob } from './project';

const MERGE_PATCH = 'application/merge-patch+json';

/** Labels nodes by merge patches, which leave what they do not name. */
export class KubeNodeLabels implements NodeLabels {
  constructor(private readonly api: KubeApi) {}

  async patch({ node, labels }: LabelPatch, signal: AbortSignal): Promise<WriteOutcome> {
    const body = { metadata: { labels } };
    return patch(this.api, `/api/v1/nodes/${node}`, body, signal);
  }
}

/** Lists and unsuspends the Jobs of one namespace. */
export class KubeJobs implements Jobs {
  constructor(
    private readonly api: KubeApi,
    private readonly namespace: string,
  ) {}

  async look(signal: AbortSignal): Promise<Work> {
    const list = <T>(path: string) =>
      this.api.request<{ readonly items?: readonly T[] }>({ method: 'GET', path, signal });
    // First the Jobs: one whose pod comes or goes in between is counted once at least.
    const jobs = await list<RawJob>(this.#jobs);
    const pods = await list<Pod>(`/api/v1/namespaces/${this.namespace}/pods`);
    return {
      jobs: (jobs.items ?? []).map(observedJob),
      pods: (pods.items ?? []).map(observedPod),
    };
  }

  async release(job: ObservedJob, signal: AbortSignal): Promise<WriteOutcome> {
    const { name, uid, resourceVersion } = job;
    // With the version the server refuses when the Job has changed since it was looked at.
    const body = { metadata: { uid, resourceVersion }, spec: { suspend: false } };
    return patch(this.api, `${this.#jobs}/${name}`, body, signal);
  }

  get #jobs(): string {
    return `/apis/batch/v1/namespaces/${this.namespace}/jobs`;
  }
}

async function patch(
  api: KubeApi,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  try {
    await api.request({ method: 'PATCH', path, contentType: MERGE_PATCH, body, signal });
    return { kind: 'done' };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { kind: 'gone' };
    if (error instanceof ApiError && error.status === 409) return { kind: 'changed' };
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}
