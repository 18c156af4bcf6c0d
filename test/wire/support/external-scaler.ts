import { externalScalerRbac } from '../../../runtime/external-scaler/rbac';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import { startControlPlane, type ControlPlane } from './control-plane';
import { apiOf, eventually } from './kube';
import {
  defineScaledJobs,
  SCALED_JOBS_NAMESPACE as NAMESPACE,
  scaledJobsIn,
} from './scaled-job-definition';
import { kubeconfigOf } from './service-account';
import { contextOf, ServiceProcess } from './service-process';

const SCALED_JOBS = scaledJobsIn(NAMESPACE);
const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const MERGE = 'application/merge-patch+json';

/** A real API server that knows ScaledJobs, as plain objects, and what a test plays on it. */
export class ScalerPlane {
  private constructor(
    private readonly plane: ControlPlane,
    readonly api: KubeApi,
    /** Of an account that may do exactly what the scaler's table of permissions says. */
    readonly kubeconfig: string,
  ) {}

  static async start(): Promise<ScalerPlane> {
    const plane = await startControlPlane();
    const api = await apiOf(plane.kubeconfig);
    const account = [NAMESPACE, 'external-scaler', externalScalerRbac] as const;
    const started = new ScalerPlane(plane, api, await kubeconfigOf(plane, api, ...account));
    await defineScaledJobs(api);
    return started;
  }

  async stop(): Promise<void> {
    await this.api.close();
    await this.plane.stop();
  }

  async scaledJob(name: string): Promise<void> {
    const body = {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledJob',
      metadata: { name },
      spec: {},
    };
    await this.api.request({ method: 'POST', path: SCALED_JOBS, body });
  }

  /** How many ScaledJobs there are. */
  async scaledJobCount(): Promise<number> {
    const list = await this.api.request<{ items: unknown[] }>({ method: 'GET', path: SCALED_JOBS });
    return list.items.length;
  }

  async deleteScaledJobs(): Promise<void> {
    await this.api.request({ method: 'DELETE', path: SCALED_JOBS, timeoutMs: 120_000 });
  }

  /** Makes the Job that KEDA would make. */
  async job(scaledJob: string, name: string): Promise<void> {
    const labels = { 'scaledjob.keda.sh/name': scaledJob };
    const spec = { containers: [{ name: 'main', image: 'none' }], restartPolicy: 'Never' };
    const annotations = { 'scaledjob.keda.sh/generation': '1' };
    const template = { metadata: { labels: { app: 'posture', ...labels } }, spec };
    await this.api.request({
      method: 'POST',
      path: JOBS,
      body: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name, labels, annotations },
        spec: { template },
      },
    });
  }

  /** Makes the pod of a Job, and binds it. */
  async pod(scaledJob: string, job: string, node: string): Promise<void> {
    const { metadata } = await this.api.request<{ metadata: { uid: string } }>({
      method: 'GET',
      path: `${JOBS}/${job}`,
    });
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: job, uid: metadata.uid };
    await this.api.request({
      method: 'POST',
      path: PODS,
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: job,
          labels: { app: 'posture', 'scaledjob.keda.sh/name': scaledJob },
          ownerReferences: [{ ...owner, controller: true }],
        },
        spec: { nodeName: node, containers: [{ name: 'main', image: 'none' }] },
      },
    });
  }

  /** Ends a Job and its pod well. */
  async end(job: string): Promise<void> {
    const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    await this.#status(`${PODS}/${job}`, { phase: 'Succeeded' });
    const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: at });
    await this.#status(`${JOBS}/${job}`, {
      startTime: at,
      completionTime: at,
      succeeded: 1,
      conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
    });
  }

  #status(path: string, status: object): Promise<unknown> {
    return this.api.request({
      method: 'PATCH',
      path: `${path}/status`,
      contentType: MERGE,
      body: { status },
    });
  }
}

/** What /eligible and /allowed say, as far as tests look at it. */
export interface EligibleAnswer {
  readonly source: string;
  readonly degraded: readonly string[];
  readonly nodes: readonly { node: string; allowed: boolean; rule?: string; why?: string }[];
}
export interface AllowedAnswer {
  readonly freeBerths: number;
  readonly queue: readonly {
    scaledJob: string;
    state: string;
    position: number | null;
    why: string;
  }[];
}

/** An external scaler that runs as a process of its own. */
export class ScalerProcess {
  private constructor(
    readonly process: ServiceProcess,
    readonly port: number,
    readonly grpcPort: number,
  ) {}

  /** Ready when it resolves, which is when everything was listed. */
  static async start(env: Readonly<Record<string, string>>): Promise<ScalerProcess> {
    const process = new ServiceProcess(await contextOf('external-scaler'), {
      HTTP_HOST: '127.0.0.1',
      PORT: '0',
      GRPC_PORT: '0',
      START_HOLD_MS: '0',
      CPU_POLL_INTERVAL_MS: '1000',
      ...env,
    });
    const line = () => process.lines.find(({ msg }) => msg === 'started');
    await process.until('it starts', () => line() !== undefined);
    const found = line() ?? {};
    const started = new ScalerProcess(process, Number(found['port']), Number(found['grpcPort']));
    await eventually(
      'it is ready',
      async () => (await started.get('/readyz')).status === 200,
      600_000,
    );
    return started;
  }

  async get(route: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${route}`);
    return { status: response.status, body: await response.json() };
  }

  async eligible(): Promise<EligibleAnswer> {
    return (await this.get('/eligible')).body as EligibleAnswer;
  }

  async allowed(): Promise<AllowedAnswer> {
    return (await this.get('/allowed')).body as AllowedAnswer;
  }

  /** Why a node's berth is not to be had; `free` when it is. */
  async ruleOf(node: string): Promise<string> {
    const found = (await this.eligible()).nodes.find((one) => one.node === node);
    return found === undefined ? 'unknown node' : (found.rule ?? 'free');
  }

  async metric(name: string): Promise<number | undefined> {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  async stop(): Promise<number | NodeJS.Signals> {
    this.process.kill('SIGTERM');
    return this.process.ended;
  }
}
