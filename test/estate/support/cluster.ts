import { get, type RequestOptions } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  BatchV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  EventsV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  PolicyV1Api,
  PortForward,
  AppsV1Api,
  setHeaderOptions,
  type Informer,
  type ObjectCache,
  type V1Node,
  type V1Pod,
  type V1Toleration,
} from '@kubernetes/client-node';
import { CPU_SCHEDULER_NAME } from '../../../components/plan';
import { waitUntil } from './wait-until';

export const SYSTEM = 'berth-system';
const MONITORING = 'monitoring';
const SCHEDULER_PORT = 8080;

/** The running estate, as a client with its kubeconfig sees it. */
export class EstateCluster {
  readonly core: CoreV1Api;
  readonly batch: BatchV1Api;
  readonly apps: AppsV1Api;
  readonly policy: PolicyV1Api;
  readonly events: EventsV1Api;
  readonly custom: CustomObjectsApi;
  private readonly coordination: CoordinationV1Api;
  private readonly config = new KubeConfig();

  constructor(checkoutDirectory: string) {
    const { config } = this;
    config.loadFromFile(join(checkoutDirectory, '.berth', 'dev', 'kubeconfig'));
    this.core = config.makeApiClient(CoreV1Api);
    this.batch = config.makeApiClient(BatchV1Api);
    this.apps = config.makeApiClient(AppsV1Api);
    this.policy = config.makeApiClient(PolicyV1Api);
    this.events = config.makeApiClient(EventsV1Api);
    this.custom = config.makeApiClient(CustomObjectsApi);
    this.coordination = config.makeApiClient(CoordinationV1Api);
  }

  async pods(namespace: string, labelSelector?: string): Promise<V1Pod[]> {
    return (
      await this.core.listNamespacedPod({ namespace, ...(labelSelector && { labelSelector }) })
    ).items;
  }

  /** The replica of a scheduler that holds the Lease. */
  async leader(name: string = CPU_SCHEDULER_NAME): Promise<V1Pod> {
    return waitUntil(`a ${name} that leads`, async () => {
      const lease = await this.coordination.readNamespacedLease({ name, namespace: SYSTEM });
      const holder = lease.spec?.holderIdentity;
      const pods = await this.pods(SYSTEM, `app.kubernetes.io/name=${name}`);
      // The holder is the pod and, behind an underscore, the run of its process.
      return pods.find(({ metadata }) => holder?.split('_')[0] === metadata?.name);
    });
  }

  /** Body of any path of the API server, which also forwards to pods and services. Rejects where nobody answered. */
  private async get(path: string): Promise<string> {
    const server = new URL(path, this.config.getCurrentCluster()?.server);
    const options: RequestOptions = {};
    await this.config.applyToHTTPSOptions(options);
    return new Promise((resolve, reject) => {
      get(server, options, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('error', reject).on('end', () => {
          const { statusCode = 0 } = response;
          if (statusCode < 500) return resolve(body);
          reject(new Error(`${path}: HTTP ${statusCode}: ${body.slice(0, 200)}`));
        });
      }).on('error', reject);
    });
  }

  /** Bodies of a path of all replicas of the CPU-aware scheduler. */
  async schedulers(path: string): Promise<string[]> {
    const pods = await this.pods(SYSTEM, `app.kubernetes.io/name=${CPU_SCHEDULER_NAME}`);
    return Promise.all(pods.map((pod) => this.pod(pod, SCHEDULER_PORT, path)));
  }

  /** Body of a path of the leading scheduler. */
  async scheduler(path: string): Promise<string> {
    return this.pod(await this.leader(), SCHEDULER_PORT, path);
  }

  /** Body of a path of a pod. */
  pod({ metadata }: V1Pod, port: number, path: string): Promise<string> {
    return this.get(
      `/api/v1/namespaces/${metadata?.namespace}/pods/${metadata?.name}:${port}/proxy/${path.replace(/^\//, '')}`,
    );
  }

  /** Body of a path of a service, whichever of its pods answers. */
  service(namespace: string, name: string, port: number, path: string): Promise<string> {
    return this.get(
      `/api/v1/namespaces/${namespace}/services/http:${name}:${port}/proxy/${path.replace(/^\//, '')}`,
    );
  }

  /** Makes a port of a pod one of this machine, while something is done with it. */
  async forwarded<T>(
    { metadata }: V1Pod,
    podPort: number,
    use: (port: number) => Promise<T>,
  ): Promise<T> {
    const forward = new PortForward(this.config);
    const [namespace, name] = [metadata?.namespace ?? '', metadata?.name ?? ''];
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      void forward
        .portForward(namespace, name, [podPort], socket, null, socket)
        .catch((error: Error) => socket.destroy(error));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await use((server.address() as AddressInfo).port);
    } finally {
      server.close();
    }
  }

  /** Follows the pods with a label, in the order in which the API server changed them. */
  watchPods(namespace: string, labelSelector: string): Informer<V1Pod> & ObjectCache<V1Pod> {
    return makeInformer(
      this.config,
      `/api/v1/namespaces/${namespace}/pods`,
      () => this.core.listNamespacedPod({ namespace, labelSelector }),
      labelSelector,
    );
  }

  /** Follows the nodes. */
  watchNodes(): Informer<V1Node> & ObjectCache<V1Node> {
    return makeInformer(this.config, '/api/v1/nodes', () => this.core.listNode());
  }

  /** Sets labels of a node; null takes one off. */
  async labelNode(name: string, labels: Readonly<Record<string, string | null>>): Promise<void> {
    await this.core.patchNode(
      { name, body: { metadata: { labels } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  }

  /** Sets how many pods a Deployment has. */
  async scaleDeployment(namespace: string, name: string, replicas: number): Promise<void> {
    await this.apps.patchNamespacedDeployment(
      { namespace, name, body: { spec: { replicas } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  }

  /** Used share (0..1) of each node, as the leading scheduler last read it; no entry where it knows none. */
  async cpuRatios(): Promise<Map<string, number>> {
    const metrics = await this.scheduler('/metrics');
    const lines = metrics.matchAll(/^cpu_scheduler_node_cpu_ratio{node="([^"]+)"} (\S+)$/gm);
    return new Map([...lines].map(([, node = '', ratio]) => [node, Number(ratio)]));
  }

  /** Stops (0) or starts (1) Prometheus itself. */
  async scalePrometheus(replicas: number): Promise<void> {
    const { items } = await this.apps.listNamespacedStatefulSet({ namespace: MONITORING });
    const found = items.find(({ metadata }) => metadata?.name?.includes('prometheus'));
    if (found?.metadata?.name === undefined) throw new Error('no StatefulSet of Prometheus');
    await this.apps.patchNamespacedStatefulSet(
      { name: found.metadata.name, namespace: MONITORING, body: { spec: { replicas } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  }
}

const small = { requests: { cpu: '1m', memory: '4Mi' } };

/** What the pods of the estate tests are made of. */
export interface TestPod {
  readonly name: string;
  readonly image: string;
  /** JavaScript that the pod runs, with an image that holds Node.js; without it the image's own program runs. */
  readonly program?: string;
  readonly labels?: Record<string, string>;
  readonly nodeName?: string;
  readonly schedulerName?: string;
  readonly nodeSelector?: Record<string, string>;
  readonly cpuRequest?: string;
  readonly tolerations?: V1Toleration[];
}

/** A pod's spec for a program of the tests. */
export function podOf(pod: TestPod): V1Pod {
  const requests =
    pod.cpuRequest === undefined ? small.requests : { ...small.requests, cpu: pod.cpuRequest };
  return {
    metadata: { name: pod.name, labels: pod.labels ?? {} },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      ...(pod.nodeName && { nodeName: pod.nodeName }),
      ...(pod.schedulerName && { schedulerName: pod.schedulerName }),
      ...(pod.nodeSelector && { nodeSelector: pod.nodeSelector }),
      ...(pod.tolerations && { tolerations: pod.tolerations }),
      containers: [
        {
          name: 'program',
          image: pod.image,
          ...(pod.program !== undefined && { command: ['node', '-e', pod.program] }),
          resources: { requests },
        },
      ],
    },
  };
}

/** Keeps one processor busy for ever. */
export const BURN_CPU = 'for (;;) {}';
/** An image that stays and does nothing. */
export const PAUSE_IMAGE = 'registry.k8s.io/pause:3.10';
/** Stays, and does nothing. */
export const STAY = 'setInterval(() => {}, 1e6)';

export const uidOf = ({ metadata }: V1Pod): string => metadata?.uid ?? '';

export const isReady = ({ status }: V1Pod): boolean =>
  (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True');
