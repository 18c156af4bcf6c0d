import type { Clock } from '../../shared/clock';
import type { KubeApi } from '../../shared/kubernetes/api';
import { ApiError } from '../../shared/kubernetes/api-error';
import type { Pod } from '../../shared/kubernetes/types';
import { EXPERIMENT_NAMESPACE, LOAD_TEMPLATE_NAME, WORKLOAD_PORT } from '../names';
import { loadArgs, type Load } from '../policy/load';
import { LoadLog, type LoadResult } from '../policy/load-log';
import type { Loads } from '../ports';
import { waitUntil } from './wait';

/** On every Job that an experiment makes. */
const RUN_LABEL = 'experiment.berth.dev/load';
const START_LIMIT_MS = 300_000;
/** Beyond its duration and the time limit of its last request. */
const SPARE_SECONDS = 300;
const RETRY_MS = 1000;

const batch = `/apis/batch/v1/namespaces/${EXPERIMENT_NAMESPACE}`;
const core = `/api/v1/namespaces/${EXPERIMENT_NAMESPACE}`;

interface CronJob {
  readonly spec: { readonly jobTemplate: { readonly metadata?: object; readonly spec: JobSpec } };
}
interface JobSpec {
  readonly template: {
    readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
    readonly spec: { readonly containers: readonly [{ readonly args?: readonly string[] }] };
  };
}

/** Load generators as Jobs in the cluster, made from the estate's suspended CronJob and read by their logs. */
export class KubeLoads implements Loads {
  constructor(
    private readonly api: KubeApi,
    private readonly load: Load,
    private readonly clock: Clock,
  ) {}

  async run(
    service: string,
    signal: AbortSignal,
    ended: (requests: number) => void,
  ): Promise<LoadResult> {
    const name = `${LOAD_TEMPLATE_NAME}-${service}`;
    await this.#create(name, service);
    const log = new LoadLog();
    const pod = await this.#startedPod(name, signal);
    for (;;) {
      signal.throwIfAborted();
      // Asked first: what the log of a pod that has ended lacks will never come.
      const over = await this.#hasEnded(pod);
      await this.#follow(pod, log, signal, ended);
      if (log.complete || over) break;
      await this.clock.sleep(RETRY_MS, signal);
    }
    const result = log.result();
    await this.#remove(`${RUN_LABEL}=${service}`);
    return result;
  }

  async clear(): Promise<void> {
    await this.#remove(RUN_LABEL);
  }

  async #create(name: string, service: string): Promise<void> {
    const { spec } = await this.api.request<CronJob>({
      method: 'GET',
      path: `${batch}/cronjobs/${LOAD_TEMPLATE_NAME}`,
    });
    const { template, ...jobSpec } = spec.jobTemplate.spec;
    const [container] = template.spec.containers;
    const args = loadArgs(this.load, `${service}.${EXPERIMENT_NAMESPACE}.svc`, WORKLOAD_PORT);
    const labels = { ...template.metadata?.labels, [RUN_LABEL]: service };
    const { durationSeconds, timeoutMs } = this.load.options;
    await this.api.request({
      method: 'POST',
      path: `${batch}/jobs`,
      body: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name, labels },
        spec: {
          ...jobSpec,
          // Nothing of it stays for ever, even when this process is killed.
          ttlSecondsAfterFinished: 3600,
          activeDeadlineSeconds: Math.ceil(durationSeconds + timeoutMs / 1000 + SPARE_SECONDS),
          template: {
            metadata: { labels },
            spec: { ...template.spec, containers: [{ ...container, args }] },
          },
        },
      },
    });
  }

  /** Name of the Job's pod, once it has begun. */
  async #startedPod(job: string, signal: AbortSignal): Promise<string> {
    let name = '';
    const look = async () => {
      const { items } = await this.api.request<{ items: Pod[] }>({
        method: 'GET',
        path: `${core}/pods`,
        query: { labelSelector: `batch.kubernetes.io/job-name=${job}` },
      });
      const [pod] = items;
      name = pod?.metadata.name ?? '';
      const phase = pod?.status?.phase ?? 'not there';
      return ['Running', 'Succeeded', 'Failed'].includes(phase) ? undefined : `its pod is ${phase}`;
    };
    await waitUntil(`the load generator ${job} starts`, look, {
      clock: this.clock,
      signal,
      limitMs: START_LIMIT_MS,
    });
    return name;
  }

  async #hasEnded(pod: string): Promise<boolean> {
    const { status } = await this.api.request<Pod>({ method: 'GET', path: `${core}/pods/${pod}` });
    return status?.phase === 'Succeeded' || status?.phase === 'Failed';
  }

  /** Reads the log from its start until it ends or breaks off. */
  async #follow(
    pod: string,
    log: LoadLog,
    signal: AbortSignal,
    ended: (requests: number) => void,
  ): Promise<void> {
    const request = { method: 'GET', path: `${core}/pods/${pod}/log`, signal } as const;
    try {
      for await (const line of this.api.lines({ ...request, query: { follow: true } })) {
        log.add(line);
        ended(log.ended);
      }
    } catch {
      // Asked again, from its start, unless it was meant.
      signal.throwIfAborted();
    }
  }

  async #remove(selector: string): Promise<void> {
    const query = { labelSelector: selector, propagationPolicy: 'Foreground' };
    await this.api.request({ method: 'DELETE', path: `${batch}/jobs`, query });
    const look = async () => {
      const { items } = await this.api.request<{ items: object[] }>({
        method: 'GET',
        path: `${batch}/jobs`,
        query: { labelSelector: selector },
      });
      return items.length === 0 ? undefined : `${items.length} Jobs are left`;
    };
    const signal = new AbortController().signal;
    await waitUntil('the load generators go', look, {
      clock: this.clock,
      signal,
      limitMs: START_LIMIT_MS,
    });
  }
}

/** Whether the estate has what load generators are made from. */
export async function hasLoadTemplate(api: KubeApi): Promise<boolean> {
  try {
    await api.request({ method: 'GET', path: `${batch}/cronjobs/${LOAD_TEMPLATE_NAME}` });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}
