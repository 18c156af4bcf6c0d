import { pino } from 'pino';
import { systemClock } from '../../../runtime/shared/clock';
import { ApiError } from '../../../runtime/shared/kubernetes/api-error';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import { Informer } from '../../../runtime/shared/kubernetes/informer';
import type { Pod } from '../../../runtime/shared/kubernetes/types';
import { startControlPlane, type ControlPlane } from '../../wire/support/control-plane';
import { apiOf, createNamespace, createNode, createPod, eventually } from '../../wire/support/kube';
import { startPrometheus, type PrometheusServer } from '../../wire/support/prometheus';
import type { TracedJob } from './cpu-world';

/** How much CPU kwok says that a pod uses. */
const USAGE = 'kwok.x-k8s.io/usage-cpu';
const BACKGROUND = 'background';
const JOBS = 'jobs';
const PODS = `/api/v1/namespaces/${JOBS}/pods`;
const JOB = 'bench/job';

const millicores = (processors: number): string => `${Math.round(processors * 1000)}m`;

/** A pod of a job, as it is now. */
export interface JobPod {
  readonly uid: string;
  readonly name: string;
  readonly job: string;
  readonly node: string | undefined;
  readonly createdMs: number;
  readonly phase: string;
  readonly deleting: boolean;
}

/** Told of pods that leave while they should run. */
export type PodGone = (pod: JobPod) => void;

/**
 * A real control plane whose kubelets kwok plays, with a real Prometheus that scrapes from kwok what each node uses: that
 * of a pod on each node for all that others do, and that of the pods of Jobs that somebody has placed.
 */
export class LiveCluster {
  readonly pods = new Map<string, JobPod>();
  onGone: PodGone = () => undefined;
  readonly #end = new AbortController();
  readonly #watching: Promise<void>;

  private constructor(
    readonly plane: ControlPlane,
    readonly api: KubeApi,
    readonly prometheus: PrometheusServer,
    readonly nodes: readonly string[],
  ) {
    const informer = new Informer<Pod, Pod>(
      api,
      { path: PODS, project: (pod) => pod },
      {
        set: (pod) => this.#take(jobPodOf(pod)),
        remove: (pod) => {
          this.pods.delete(pod.metadata.uid);
          this.onGone(jobPodOf(pod));
        },
      },
      systemClock,
      pino({ level: 'silent' }),
    );
    this.#watching = informer.run(this.#end.signal);
  }

  static async start(
    nodes: readonly string[],
    processorsPerNode: number,
    scrapeIntervalMs: number,
  ): Promise<LiveCluster> {
    const kwok = { jobsGoOn: true, usage: true };
    const plane = await startControlPlane({ controllerManager: true, scheduler: true, kwok });
    const api = await apiOf(plane.kubeconfig);
    for (const name of [BACKGROUND, JOBS]) await createNamespace(api, name);
    for (const [index, name] of nodes.entries()) {
      const ip = `10.0.0.${index + 1}`;
      await createNode(api, { name, ip, cpu: String(processorsPerNode) });
      await createPod(api, BACKGROUND, name, { spec: { nodeName: name } });
    }
    const target = new URL(plane.kwokUrl ?? '').host;
    const targets = nodes.map((node) => ({
      target,
      labels: { node, __metrics_path__: `/metrics/nodes/${node}/metrics/resource` },
    }));
    const prometheus = await startPrometheus(targets, { scrapeIntervalMs });
    return new LiveCluster(plane, api, prometheus, nodes);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#watching;
    await this.prometheus.stop();
    await this.api.close();
    await this.plane.stop();
  }

  /** Says how many processors others keep busy on a node. */
  setBackground(node: string, processors: number): Promise<unknown> {
    return this.#setUsage(BACKGROUND, node, processors);
  }

  /** Says how many processors a pod keeps busy; it may be gone. */
  setUse({ name }: JobPod, processors: number): Promise<unknown> {
    return this.#setUsage(JOBS, name, processors).catch(ignoreGone);
  }

  /** Makes a Job of one pod for a scheduler. Its pod uses, while nothing else is said, what it wants. */
  async createJob(job: TracedJob, schedulerName: string, cpuRequest: number): Promise<void> {
    const resources = { requests: { cpu: millicores(cpuRequest) } };
    await this.api.request({
      method: 'POST',
      path: `/apis/batch/v1/namespaces/${JOBS}/jobs`,
      body: {
        ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: job.name } },
        spec: {
          backoffLimit: 100,
          podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [DISRUPTED] }] },
          template: {
            metadata: {
              labels: { [JOB]: job.name },
              annotations: { [USAGE]: millicores(job.processors) },
            },
            spec: {
              ...{ schedulerName, restartPolicy: 'Never' },
              containers: [{ name: 'main', image: 'none', resources }],
            },
          },
        },
      },
    });
  }

  /** Says of a pod that its program ended well, as its kubelet would. */
  async complete(pod: JobPod): Promise<void> {
    await this.setUse(pod, 0);
    const path = `${PODS}/${pod.name}/status`;
    const body = { status: { phase: 'Succeeded' } };
    await this.api
      .request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' })
      .catch(ignoreGone);
  }

  /** Takes all Jobs and their pods away. */
  async clear(): Promise<void> {
    const query = { propagationPolicy: 'Background', gracePeriodSeconds: 0 };
    const path = `/apis/batch/v1/namespaces/${JOBS}/jobs`;
    await this.api.request({ method: 'DELETE', path, query });
    await eventually('no pod is left', async () => this.pods.size === 0);
  }

  async deletePod({ name }: JobPod): Promise<void> {
    const path = `${PODS}/${name}`;
    await this.api
      .request({ method: 'DELETE', path, query: { gracePeriodSeconds: 0 } })
      .catch(ignoreGone);
  }

  async bindPod({ name }: JobPod, node: string): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target };
    await this.api
      .request({ method: 'POST', path: `${PODS}/${name}/binding`, body })
      .catch(ignoreGone);
  }

  #take(pod: JobPod): void {
    const before = this.pods.get(pod.uid);
    this.pods.set(pod.uid, pod);
    if (pod.deleting && before?.deleting !== true) this.onGone(pod);
  }

  #setUsage(namespace: string, name: string, processors: number): Promise<unknown> {
    return this.api.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/pods/${name}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [USAGE]: millicores(processors) } } },
    });
  }
}

const DISRUPTED = { type: 'DisruptionTarget', status: 'True' };

const jobPodOf = ({ metadata, spec, status }: Pod): JobPod => ({
  uid: metadata.uid,
  name: metadata.name,
  job: metadata.labels?.[JOB] ?? '',
  node: spec.nodeName,
  createdMs: Date.parse(metadata.creationTimestamp ?? ''),
  phase: status?.phase ?? 'Pending',
  deleting: metadata.deletionTimestamp !== undefined,
});

/** Pods may go, or be bound, while something is done about them. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
}
