import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { Redis } from 'ioredis';
import { parseEstateConfig } from '../../components/config';
import { agentContainer } from '../../components/hosts/node-container';
import { connectDocker } from '../../runtime/autoscaler/adapters/docker-connection';
import type { WorkerMould } from '../../runtime/autoscaler/containers/worker-template';
import { nodeEnvironment } from '../../runtime/autoscaler/containers/worker-template';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { ApiError } from '../../runtime/shared/kubernetes/api-error';
import type { Node } from '../../runtime/shared/kubernetes/types';
import { k3sContainerOptions, K3S_IMAGE } from '../lab/k3s';
import { progress } from './progress';
import { freePorts } from '../wire/support/free-ports';
import { apiOf, createPod, eventually } from '../wire/support/kube';
import { startLabCluster, type LabCluster } from '../wire/support/lab-cluster';
import { createMongo, type MongoServer } from '../wire/support/mongodb';
import { FakeExporter, startPrometheus, type PrometheusServer } from '../wire/support/prometheus';
import { createRedis, type RedisServer } from '../wire/support/redis';
import { RunningService } from '../wire/support/running-service';

const NETWORK = 'quay';
const JOIN_TOKEN = 'a-token-for-agents';
const API_TOKEN = 'a-token-of-the-bench';
const DOCKER_TOKEN = 'a-token-for-docker';
const PERMANENT = 'k3s-worker-1';
const BY_HAND = 'by-hand';
/** A worker of the dev estate. */
const SIZE = { cpus: 1, memoryMb: 3072 };
const LIMIT_MS = 300_000;
/** Time between two looks at what a node or a container has come to. */
const LOOK_MS = 20;

/** A container that runs: when the engine made it, and since when it runs; ms since 1970. */
export interface Started {
  readonly name: string;
  readonly createdMs: number;
  readonly atMs: number;
}

/** A running autoscaler, and all that it needs to bring real workers: nothing of it is a stand-in but the node exporter. */
export class WorkerLab {
  readonly #docker: Docker;
  #scrapes: (() => void)[] = [];
  #byHand = 0;

  private constructor(
    private readonly cluster: LabCluster,
    private readonly api: KubeApi,
    private readonly exporter: FakeExporter,
    private readonly redis: Redis,
    private readonly mould: WorkerMould,
    private readonly autoscaler: RunningService,
    private readonly ends: (() => Promise<unknown>)[],
  ) {
    this.#docker = connectDocker({ url: cluster.engine.ctx.dockerHost, token: '' });
    exporter.onScrape = () => {
      const waiting = this.#scrapes;
      this.#scrapes = [];
      for (const told of waiting) told();
    };
  }

  /** With one permanent worker, which the autoscaler has brought, and whose CPU is above the threshold all the time. */
  static async start(scrapeSeconds: number): Promise<WorkerLab> {
    const ends: (() => Promise<unknown>)[] = [];
    try {
      const cluster = await startLabCluster([], { network: NETWORK, token: JOIN_TOKEN });
      ends.push(() => cluster.stop());
      progress('the server is Ready');
      return await WorkerLab.#in(cluster, scrapeSeconds, ends);
    } catch (error) {
      for (const end of ends.reverse()) await end();
      throw error;
    }
  }

  static async #in(
    cluster: LabCluster,
    scrapeSeconds: number,
    ends: (() => Promise<unknown>)[],
  ): Promise<WorkerLab> {
    const ended = <T>(part: T, end: (part: T) => Promise<unknown>): T => {
      ends.push(() => end(part));
      return part;
    };
    const api = ended(await apiOf(cluster.kubeconfig), (one) => one.close());
    const exporter = ended(new FakeExporter(), (one) => one.stop());
    exporter.ratios.set(PERMANENT, 0.95);
    exporter.memoryRatios.set(PERMANENT, 0.5);
    const prometheus: PrometheusServer = ended(
      await startPrometheus(await exporter.start(), { scrapeIntervalMs: scrapeSeconds * 1000 }),
      (one) => one.stop(),
    );
    const redis: RedisServer = ended(await createRedis(), (one) => one.remove());
    const mongo: MongoServer = ended(await createMongo(), (one) => one.remove());
    await Promise.all([redis.start(), mongo.start()]);
    const mould = mouldOfDev();
    const [port = 0] = await freePorts(1);
    const worker = {
      ...{ WORKER_TEMPLATE: JSON.stringify(mould.template), K3S_TOKEN: JOIN_TOKEN, DOCKER_TOKEN },
    };
    const socket = cluster.engine.ctx.dockerHost.replace('unix://', '');
    const proxyEnv = { ...worker, DOCKER_SOCKET: socket, PORT: String(port) };
    ended(await RunningService.start('docker-socket-proxy', proxyEnv), (one) => one.stop());
    const autoscaler = await RunningService.start('autoscaler', {
      ...worker,
      KUBECONFIG: cluster.kubeconfigPath,
      ...{ LEASE_NAMESPACE: 'default', METRICS_PORT: '0', API_TOKEN },
      ...{ PROM_URL: prometheus.url, CPU_POLL_INTERVAL_MS: String(scrapeSeconds * 1000) },
      ...{ REDIS_URL: redis.url, MONGO_URL: mongo.url, DOCKER_URL: `http://127.0.0.1:${port}` },
      ...{ MIN_NODES: '1', MAX_NODES: '2', PERMANENT_WORKERS: PERMANENT },
      // It grows whenever it should, and shrinks when it is told to.
      ...{ SCALE_UP_COOLDOWN_MS: '0', SCALE_DOWN_COOLDOWN_MS: '86400000' },
    });
    ended(autoscaler, (one) => one.stop());
    const client = ended(new Redis(redis.url), async (one) => one.disconnect());
    progress('the autoscaler has started');
    const lab = new WorkerLab(cluster, api, exporter, client, mould, autoscaler, ends);
    await lab.ready(PERMANENT);
    return lab;
  }

  async stop(): Promise<void> {
    for (const end of this.ends.reverse()) await end();
  }

  /** Memory that the permanent worker uses from now on, 0..1. */
  setMemory(ratio: number): void {
    this.exporter.memoryRatios.set(PERMANENT, ratio);
  }

  /** The next scrape. @returns when it was answered, ms since 1970 */
  scraped(): Promise<number> {
    return new Promise((resolve) => this.#scrapes.push(() => resolve(Date.now())));
  }

  /** Waits until nothing is under way, and the last readings, all fresh, give no reason to grow. */
  async quiet(): Promise<void> {
    await eventually(
      'nothing is under way, and memory is read as low',
      async () => {
        if ((await this.redis.hlen('autoscaler:operations')) > 0) return false;
        const { body } = await this.autoscaler.get('/metrics');
        const { cpu, memory, workers, pending } = body as unknown as Evidence;
        if (workers !== 1 || pending !== 0) return false;
        return memory.unknown + cpu.unknown === 0 && memory.mostRatio < 0.6 && cpu.leastRatio > 0.8;
      },
      LIMIT_MS,
    );
  }

  /** Waits until memory is read as low: until then it would grow again as soon as there is room. */
  async readLow(): Promise<void> {
    await eventually(
      'memory is read as low',
      async () => {
        const { nodes } = (await this.autoscaler.get('/nodes/metrics')).body as unknown as Nodes;
        const { ratio = 1 } = nodes.find(({ name }) => name === PERMANENT)?.memory ?? {};
        return ratio < 0.6;
      },
      LIMIT_MS,
    );
  }

  /** The container of the next worker that the autoscaler starts. */
  async grown(): Promise<Started> {
    const next = `k3s-worker-${Number(await this.redis.get('autoscaler:workers:counter')) + 1}`;
    return this.#started(next);
  }

  /** When the node is Ready, ms since 1970. */
  async ready(name: string): Promise<number> {
    for (const untilMs = Date.now() + LIMIT_MS; Date.now() < untilMs; await sleep(LOOK_MS)) {
      const node = await this.#node(name);
      const { conditions = [] } = node?.status ?? {};
      if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True'))
        return Date.now();
    }
    throw new Error(`node ${name} was not Ready within ${LIMIT_MS} ms`);
  }

  /** Has the autoscaler remove its last worker, and waits until nothing is left of it. */
  async shrink(name: string): Promise<void> {
    await this.#noOperation();
    const response = await fetch(`${this.autoscaler.url}/scale`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'scale_down', count: 1, reason: 'the bench' }),
    });
    if (response.status !== 202)
      throw new Error(`/scale: ${response.status}: ${await response.text()}`);
    await this.#noOperation();
    if ((await this.#node(name)) !== undefined) throw new Error(`${name} is still a node`);
  }

  /** A pod for which no node was found. @returns when that was said, ms since 1970 */
  async addWaitingPod(): Promise<number> {
    await createPod(this.api, 'default', 'waits', { cpu: '100m', spec: { schedulerName: 'none' } });
    const saidMs = Date.now();
    await this.api.request({
      ...{ method: 'PATCH', path: '/api/v1/namespaces/default/pods/waits/status' },
      contentType: 'application/merge-patch+json',
      body: { status: { conditions: [{ type: 'PodScheduled', status: 'False' }] } },
    });
    return saidMs;
  }

  async removeWaitingPod(): Promise<void> {
    const body = { gracePeriodSeconds: 0 };
    const path = '/api/v1/namespaces/default/pods/waits';
    await this.api.request({ method: 'DELETE', path, body });
  }

  /** Starts an agent with the options that the autoscaler's workers have, by the command line. */
  async runByHand(): Promise<Started> {
    this.#byHand += 1;
    const name = `${BY_HAND}-${this.#byHand}`;
    const { container } = this.mould.template;
    const env = { ...nodeEnvironment(container, name), K3S_TOKEN: this.mould.clusterToken };
    await this.cluster.engine.docker(
      ...['run', '--detach', '--name', name, '--hostname', name, '--restart', 'unless-stopped'],
      ...['--network', NETWORK, '--network-alias', name, '--cgroupns', container.cgroupnsMode],
      ...['--cpus', String(container.cpus), '--memory', `${container.memoryMb}m`],
      ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
      ...container.capabilities.flatMap((one) => ['--cap-add', one]),
      ...container.securityOptions.flatMap((one) => ['--security-opt', one]),
      ...container.devices.flatMap(({ hostPath }) => ['--device', hostPath]),
      ...container.mounts.flatMap((one) => ['--volume', `${one.hostPath}:${one.containerPath}`]),
      ...container.volumePaths.flatMap((one) => ['--volume', one]),
      ...container.tmpfs.flatMap((one) => ['--tmpfs', one]),
      ...[container.image, ...container.command],
    );
    return this.#started(name);
  }

  async removeByHand(name: string): Promise<void> {
    await this.cluster.engine.docker('stop', '-t', '30', name);
    await this.cluster.engine.docker('rm', '-f', '-v', name);
    const secret = `/api/v1/namespaces/kube-system/secrets/${name}.node-password.k3s`;
    // The secret may go with its node.
    for (const path of [`/api/v1/nodes/${name}`, secret])
      await this.api.request({ method: 'DELETE', path }).catch(unlessGone);
  }

  async #started(name: string): Promise<Started> {
    for (const untilMs = Date.now() + LIMIT_MS; Date.now() < untilMs; await sleep(LOOK_MS)) {
      const seen = await this.#docker
        .getContainer(name)
        .inspect()
        .catch(() => undefined);
      if (seen?.State.Running === true)
        return {
          ...{ name, createdMs: Date.parse(seen.Created) },
          atMs: Date.parse(seen.State.StartedAt),
        };
    }
    throw new Error(`container ${name} did not run within ${LIMIT_MS} ms`);
  }

  async #node(name: string): Promise<Node | undefined> {
    try {
      return await this.api.request<Node>({ method: 'GET', path: `/api/v1/nodes/${name}` });
    } catch (error) {
      return unlessGone(error);
    }
  }

  async #noOperation(): Promise<void> {
    await eventually(
      'no operation is under way',
      async () => (await this.redis.hlen('autoscaler:operations')) === 0,
      LIMIT_MS,
    );
  }
}

function unlessGone(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 404) return undefined;
  throw error;
}

interface Nodes {
  readonly nodes: readonly {
    readonly name: string;
    readonly memory: { readonly ratio?: number };
  }[];
}
interface Usage {
  readonly leastRatio: number;
  readonly mostRatio: number;
  readonly unknown: number;
}
interface Evidence {
  readonly workers: number;
  readonly pending: number;
  readonly cpu: Usage;
  readonly memory: Usage;
}

/** What a worker is made of in the lab's dev estate. */
function mouldOfDev(): WorkerMould {
  const { cluster } = parseEstateConfig({
    values: { cluster: { docker: { name: NETWORK, image: K3S_IMAGE, ...k3sContainerOptions } } },
    keys: [],
    secrets: new Set(['clusterToken']),
  });
  const container = agentContainer(cluster.docker, SIZE);
  return {
    clusterToken: JOIN_TOKEN,
    template: { estate: NETWORK, network: NETWORK, container },
  };
}
