import { LABELS } from '../../../runtime/autoscaler/containers/worker-body';
import { autoscalerRbac } from '../../../runtime/autoscaler/rbac';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import { mouldOf } from '../../policy/autoscaler/worker-mould';
import { startControlPlane, type ControlPlane } from './control-plane';
import { DockerStandIn } from './docker-stand-in';
import { FakePrometheus } from './fake-prometheus';
import { apiOf, createNamespace, createNode, eventually } from './kube';
import { createMongo, type MongoServer } from './mongodb';
import { createRedis, type RedisServer } from './redis';
import { RunningService } from './running-service';
import { kubeconfigOf } from './service-account';

export const TOKEN = 'a-token-of-the-test';
const DOCKER_TOKEN = 'a-token-for-docker';
const NAMESPACE = 'berth-system';
const PASSWORDS = '/api/v1/namespaces/kube-system/secrets';

/** What the autoscaler talks to: all of it real but Docker, Prometheus, and MongoDB, which stand-ins play. */
export class AutoscalerSystem {
  readonly replicas: RunningService[] = [];
  /** Workers whose agents start and never register, by name. */
  readonly mute = new Set<string>();

  private constructor(
    readonly plane: ControlPlane,
    /** With all rights. */
    readonly api: KubeApi,
    readonly prometheus: FakePrometheus,
    readonly redis: RedisServer,
    readonly mongo: MongoServer,
    private readonly kubeconfig: string,
  ) {}

  #docker: DockerStandIn | undefined;

  get docker(): DockerStandIn {
    if (this.#docker === undefined) throw new Error('not started');
    return this.#docker;
  }

  /**
   * A server and the workers k3s-worker-1 and 2, each with 4 processors and half of them busy.
   * @param options dockerSocket: a path at which the stand-in for Docker listens, too, as the engine does
   */
  static async start(options: { readonly dockerSocket?: string } = {}): Promise<AutoscalerSystem> {
    const [plane, prometheus, redis, mongo] = await Promise.all([
      ...([startControlPlane(), FakePrometheus.start(), createRedis(), createMongo()] as const),
    ]);
    await Promise.all([redis.start(), mongo.start()]);
    const api = await apiOf(plane.kubeconfig);
    await eventually('kube-system', () =>
      api.request({ method: 'GET', path: '/api/v1/namespaces/kube-system' }),
    );
    const kubeconfig = await kubeconfigOf(plane, api, NAMESPACE, 'autoscaler', autoscalerRbac);
    const system = new AutoscalerSystem(plane, api, prometheus, redis, mongo, kubeconfig);
    const agent = {
      started: async (name: string) => {
        if (!system.mute.has(name)) await system.register(name);
      },
      ended: (name: string) => system.#fail(name),
    };
    system.#docker = await DockerStandIn.start(DOCKER_TOKEN, agent, options.dockerSocket);
    const controlPlane = { 'node-role.kubernetes.io/control-plane': 'true' };
    await createNode(api, { name: 'server-1', labels: controlPlane });
    for (const name of ['k3s-worker-1', 'k3s-worker-2']) await system.addWorker(name);
    await createNamespace(api, 'work');
    return system;
  }

  /** A worker that was there before the autoscaler. */
  async addWorker(name: string): Promise<void> {
    this.addContainer(name);
    await this.register(name);
  }

  /** The container of a worker that has run for a day; nothing is registered. */
  addContainer(name: string): void {
    this.docker.add(name, { [LABELS.estate]: mouldOf().template.estate });
  }

  /** The process before the Docker socket, of the settings that replicas have. */
  startSocketProxy(socket: string, port: number): Promise<RunningService> {
    const { template, clusterToken } = mouldOf();
    return RunningService.start('docker-socket-proxy', {
      ...{ DOCKER_SOCKET: socket, PORT: String(port), DOCKER_TOKEN },
      ...{ WORKER_TEMPLATE: JSON.stringify(template), K3S_TOKEN: clusterToken },
    });
  }

  async startReplica(env: Readonly<Record<string, string>> = {}): Promise<RunningService> {
    const { template, clusterToken } = mouldOf();
    const replica = await RunningService.start('autoscaler', {
      KUBECONFIG: this.kubeconfig,
      LEASE_NAMESPACE: NAMESPACE,
      // A machine that is busy with other tests is no reason to change leaders.
      LEASE_DURATION_MS: '15000',
      LEASE_RENEW_DEADLINE_MS: '12000',
      LEASE_RETRY_MS: '500',
      METRICS_PORT: '0',
      API_TOKEN: TOKEN,
      PROM_URL: this.prometheus.url,
      CPU_POLL_INTERVAL_MS: '1000',
      REDIS_URL: this.redis.url,
      MONGO_URL: this.mongo.url,
      DOCKER_URL: this.docker.url,
      DOCKER_TOKEN,
      WORKER_TEMPLATE: JSON.stringify(template),
      K3S_TOKEN: clusterToken,
      CHECK_INTERVAL_MS: '500',
      RECONCILE_INTERVAL_MS: '2000',
      POLL_INTERVAL_MS: '100',
      ...env,
    });
    this.replicas.push(replica);
    return replica;
  }

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.stop()));
    await this.#docker?.stop();
    await this.prometheus.stop();
    await Promise.all([this.redis.remove(), this.mongo.remove()]);
    await this.api.close();
    await this.plane.stop();
  }

  /** POST with the token and JSON. */
  async post(
    replica: RunningService,
    path: string,
    body: object = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; body: Record<string, unknown>; replayed: boolean }> {
    const response = await fetch(`${replica.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      body: (await response.json()) as Record<string, unknown>,
      replayed: response.headers.get('idempotency-replayed') === 'true',
    };
  }

  /** What Prometheus would read. */
  async metricsOf(replica: RunningService): Promise<string> {
    const started = replica.lines.find(({ msg }) => msg === 'started');
    return (await fetch(`http://127.0.0.1:${String(started?.['metricsPort'])}/metrics`)).text();
  }

  /** Takes the Lease from one that is dead, so that the next need not wait until it has run out. */
  async freeLease(): Promise<void> {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/autoscaler`;
    await this.api.request({ method: 'DELETE', path });
  }

  async nodeNames(): Promise<string[]> {
    return (await this.#list('/api/v1/nodes')).sort();
  }

  /** Workers whose agents' passwords are kept. */
  async passwords(): Promise<string[]> {
    const names = await this.#list(PASSWORDS);
    return names.flatMap((name) => name.split('.node-password.k3s').slice(0, -1)).sort();
  }

  async #list(path: string): Promise<string[]> {
    const { items } = await this.api.request<{ items: { metadata: { name: string } }[] }>({
      ...{ method: 'GET', path },
    });
    return items.map(({ metadata }) => metadata.name);
  }

  /** As an agent that starts for the first time: its node, Ready unless told otherwise, and its password. */
  async register(name: string, { ready = true } = {}): Promise<void> {
    this.prometheus.ratios.set(name, 0.5);
    const metadata = { name: `${name}.node-password.k3s` };
    const body = { apiVersion: 'v1', kind: 'Secret', metadata };
    await this.api.request({ method: 'POST', path: PASSWORDS, body });
    await createNode(this.api, { name, ready });
  }

  /** As the control plane, when it hears no more of a kubelet. */
  async #fail(name: string): Promise<void> {
    this.prometheus.ratios.delete(name);
    if (!(await this.nodeNames()).includes(name)) return;
    await this.api.request({
      ...{ method: 'PATCH', path: `/api/v1/nodes/${name}/status` },
      contentType: 'application/merge-patch+json',
      body: { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
    });
  }
}
