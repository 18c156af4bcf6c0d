import type { Clock } from '../../shared/clock';
import type { KubeApi } from '../../shared/kubernetes/api';
import type { KubeObject } from '../../shared/kubernetes/types';
import { EXPERIMENT_NAMESPACE, WORKLOADS, type WorkloadNames } from '../names';
import type { Workloads } from '../ports';
import { waitUntil } from './wait';

/** On a Deployment while an experiment changes it: how it was. */
export const BEFORE_ANNOTATION = 'experiment.berth.dev/before';
const FIELD_MANAGER = 'berth-experiment';
const LIMIT_MS = 300_000;

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly spec: { readonly schedulerName?: string } };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}
interface Autoscaler extends KubeObject {
  readonly spec: { readonly minReplicas?: number };
}
/** Of a pod: why it has no node. */
interface PlacedPod {
  readonly status?: {
    readonly conditions?: readonly { type: string; status: string; message?: string }[];
  };
}
/** What an experiment changes. */
interface Before {
  readonly schedulerName: string;
  readonly replicas: number;
}

const base = `/apis/apps/v1/namespaces/${EXPERIMENT_NAMESPACE}/deployments`;
const autoscalers = `/apis/autoscaling/v2/namespaces/${EXPERIMENT_NAMESPACE}/horizontalpodautoscalers`;

/** The Deployments of the experiment, as the API server has them. */
export class KubeWorkloads implements Workloads {
  constructor(
    private readonly api: KubeApi,
    private readonly clock: Clock,
    private readonly limitMs = LIMIT_MS,
  ) {}

  async remember(): Promise<void> {
    await this.#each(async ({ deployment }) => {
      const { metadata, spec } = await this.#get(deployment);
      // An experiment that was killed a moment ago may have left it: that is how they were.
      if (metadata.annotations?.[BEFORE_ANNOTATION] !== undefined) return;
      const before: Before = {
        schedulerName: spec.template.spec.schedulerName ?? 'default-scheduler',
        replicas: spec.replicas ?? 1,
      };
      const annotations = { [BEFORE_ANNOTATION]: JSON.stringify(before) };
      await this.#patch(deployment, { metadata: { annotations } });
    });
  }

  async park(signal: AbortSignal): Promise<void> {
    // An autoscaler leaves a Deployment of no replicas alone.
    await this.#each(({ deployment }) => this.#patch(deployment, { spec: { replicas: 0 } }));
    const gone = async () => {
      const pods = (await Promise.all(WORKLOADS.map((names) => this.#pods(names)))).flat();
      return pods.length === 0 ? undefined : `${pods.length} pods are left`;
    };
    await waitUntil('the pods of before go', gone, this.#waiting(signal));
  }

  async start(scheduler: string, signal: AbortSignal): Promise<void> {
    await this.#each(async (names) => {
      const { spec } = await this.api.request<Autoscaler>({
        method: 'GET',
        path: `${autoscalers}/${names.autoscaler}`,
      });
      const replicas = spec.minReplicas ?? 1;
      const template = { spec: { schedulerName: scheduler } };
      await this.#patch(names.deployment, { spec: { replicas, template } });
      const ready = async () => this.#unready(names, replicas);
      await waitUntil(`${names.deployment} by ${scheduler}`, ready, this.#waiting(signal));
    });
  }

  async restore(): Promise<void> {
    await this.#each(async ({ deployment }) => {
      const { metadata } = await this.#get(deployment);
      const text = metadata.annotations?.[BEFORE_ANNOTATION];
      if (text === undefined) return;
      const { schedulerName, replicas } = JSON.parse(text) as Before;
      await this.#patch(deployment, {
        metadata: { annotations: { [BEFORE_ANNOTATION]: null } },
        spec: { replicas, template: { spec: { schedulerName } } },
      });
    });
  }

  /** What is missing until the least number of pods is there, all of them of the newest kind. */
  async #unready(names: WorkloadNames, replicas: number): Promise<string | undefined> {
    const { metadata, status } = await this.#get(names.deployment);
    const seen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
    const { updatedReplicas = 0, readyReplicas = 0, replicas: all = 0 } = status ?? {};
    // More than the least number is as good: the autoscaler may have begun already.
    if (seen && readyReplicas >= replicas && updatedReplicas === all) return undefined;
    // What the Deployment says of its pods may be of those before.
    const conditions = (await this.#pods(names)).flatMap((pod) => pod.status?.conditions ?? []);
    const ready = conditions.filter(({ type, status: is }) => type === 'Ready' && is === 'True');
    const reasons = conditions
      .filter((one) => one.type === 'PodScheduled' && one.status === 'False')
      .map(({ message }) => message ?? 'not placed yet');
    const why = [...new Set(reasons)].slice(0, 3).join('; ');
    return `${ready.length} of ${replicas} pods are ready${why && `: ${why}`}`;
  }

  async #pods({ deployment }: WorkloadNames): Promise<PlacedPod[]> {
    const { items } = await this.api.request<{ items: PlacedPod[] }>({
      method: 'GET',
      path: `/api/v1/namespaces/${EXPERIMENT_NAMESPACE}/pods`,
      query: { labelSelector: `app.kubernetes.io/name=${deployment}` },
    });
    return items;
  }

  #get(deployment: string): Promise<Deployment & { metadata: { generation?: number } }> {
    return this.api.request({ method: 'GET', path: `${base}/${deployment}` });
  }

  async #patch(deployment: string, body: object): Promise<void> {
    await this.api.request({
      method: 'PATCH',
      path: `${base}/${deployment}`,
      contentType: 'application/merge-patch+json',
      query: { fieldManager: FIELD_MANAGER },
      body,
    });
  }

  async #each(run: (names: WorkloadNames) => Promise<void>): Promise<void> {
    await Promise.all(WORKLOADS.map(run));
  }

  #waiting(signal: AbortSignal) {
    return { clock: this.clock, signal, limitMs: this.limitMs };
  }
}
