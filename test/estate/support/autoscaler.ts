import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { V1Deployment, V1Node } from '@kubernetes/client-node';
import { AUTOSCALER_NAME } from '../../../components/plan';
import { workerNumber } from '../../../runtime/autoscaler/policy/worker-name';
import { readMongo, readRedis } from './autoscaler-stores';
import { PAUSE_IMAGE, SYSTEM, type EstateCluster } from './cluster';
import { waitUntil } from './wait-until';

const PORT = 8080;
/** An operation, a restart and a reconciliation may come one after the other on a busy machine. */
const LIMIT_MS = 900_000;

/** What the API says of one worker. */
interface KnownWorker {
  readonly name: string;
  readonly record: object | null;
  readonly container: object | null;
  readonly operation: { readonly kind: string; readonly step: string } | null;
}

/** One entry of GET /history. */
export interface HistoryEvent {
  readonly id: string;
  readonly kind: string;
  readonly outcome: string;
  readonly worker: string;
}

/** The autoscaler of the estate, as its API and the cluster show it. */
export class AutoscalerEstate {
  constructor(private readonly cluster: EstateCluster) {}

  async ask<T>(path: string): Promise<T> {
    return JSON.parse(await this.cluster.service(SYSTEM, AUTOSCALER_NAME, PORT, path)) as T;
  }

  /** Waits until it leads, reaches everything, and acts. */
  async acts(): Promise<void> {
    let seen: unknown;
    await waitUntil(
      'the autoscaler to act',
      async () => {
        const [health, config] = await Promise.all([
          this.ask<{ status: string; role: string }>('/health'),
          this.ask<{ DRY_RUN: boolean }>('/config'),
        ]);
        seen = { ...health, dryRun: config.DRY_RUN };
        return health.status === 'healthy' && health.role === 'leader' && !config.DRY_RUN;
      },
      { limitMs: LIMIT_MS, seen: () => seen },
    );
  }

  /** The nodes that it made, the first that came first. */
  async nodes(): Promise<V1Node[]> {
    const { items } = await this.cluster.core.listNode();
    return items.filter((node) => numberOf(node) > 0).sort((a, b) => numberOf(a) - numberOf(b));
  }

  /** Waits for an operation of a kind, in one of its steps. @returns its worker */
  async amid(kind: 'up' | 'down', steps: readonly string[]): Promise<string> {
    const found = await waitUntil(
      `an operation ${kind} in ${steps.join(' or ')}`,
      async () =>
        (await this.ask<{ workers: KnownWorker[] }>('/workers')).workers.find(
          ({ operation }) => operation?.kind === kind && steps.includes(operation.step),
        ),
      // A step may be over soon.
      { limitMs: LIMIT_MS, longestPauseMs: 200 },
    );
    return found.name;
  }

  /**
   * Waits until so many of its workers are there, and Docker, Kubernetes, Redis and MongoDB know the same ones and of
   * nothing under way. @returns their names
   */
  async settled(count: number): Promise<string[]> {
    let seen: unknown;
    return waitUntil(
      `${count} autoscaled workers, of which all stores say the same`,
      async () => {
        const nodes = await this.nodes();
        const names = nodes.map(nameOf).sort();
        const { workers } = await this.ask<{ workers: KnownWorker[] }>('/workers');
        seen = { names, workers };
        const isSame = (others: readonly string[]) => others.join() === names.join();
        if (names.length !== count || !nodes.every(isReadyNode)) return false;
        if (!isSame(workers.map(({ name }) => name).sort())) return false;
        if (workers.some(({ record, container, operation }) => !record || !container || operation))
          return false;
        const [redis, mongo, secrets] = await Promise.all([
          readRedis(this.cluster),
          readMongo(this.cluster),
          this.#passwords(),
        ]);
        seen = { names, redis, mongo: mongo.workers, secrets };
        return (
          isSame(redis.workers) &&
          redis.operations.length === 0 &&
          redis.unsent === 0 &&
          isSame(mongo.workers) &&
          isSame(secrets) &&
          names
        );
      },
      { limitMs: LIMIT_MS, seen: () => seen },
    );
  }

  async history(): Promise<{ readonly source: string; readonly events: HistoryEvent[] }> {
    return this.ask('/history?limit=1000');
  }

  /** Workers whose node passwords k3s keeps. */
  async #passwords(): Promise<string[]> {
    const { items } = await this.cluster.core.listNamespacedSecret({ namespace: 'kube-system' });
    return items
      .map(({ metadata }) => metadata?.name?.replace('.node-password.k3s', '') ?? '')
      .filter((name) => workerNumber(name) !== null)
      .sort();
  }
}

export const nameOf = ({ metadata }: V1Node): string => metadata?.name ?? '';
const numberOf = (node: V1Node): number => workerNumber(nameOf(node)) ?? 0;

export const isReadyNode = ({ spec, status }: V1Node): boolean =>
  spec?.unschedulable !== true &&
  (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True');

/** The process of the estate's docker-socket-proxy: its container is on this machine's own engine. */
export async function socketProxyProcess(estate: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environ = await readFile(join('/proc', pid, 'environ'), 'utf8').catch(() => '');
    const variables = environ.split('\0');
    const isProxy = variables.some((one) => one.startsWith('DOCKER_SOCKET='));
    if (isProxy && environ.includes(`"estate":"${estate}"`)) return Number(pid);
  }
  throw new Error(`no process of the docker-socket-proxy of ${estate} is on this machine`);
}

/** One pod to a node: so many replicas need so many nodes, whatever else the nodes have to do. */
export function spread(name: string, replicas: number): V1Deployment {
  const labels = { app: name };
  return deployment(name, replicas, {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } },
      ],
    },
  });
}

/** One pod that goes to a node while it can, and else to one of the others. */
export function preferring(name: string, node: string, others: readonly string[]): V1Deployment {
  const on = (values: readonly string[]) => ({
    matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [...values] }],
  });
  return deployment(name, 1, {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [on([node, ...others])],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: on([node]) }],
    },
  });
}

function deployment(name: string, replicas: number, affinity: object): V1Deployment {
  const labels = { app: name };
  return {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          affinity,
          terminationGracePeriodSeconds: 0,
          automountServiceAccountToken: false,
          containers: [
            {
              name: 'pause',
              image: PAUSE_IMAGE,
              resources: { requests: { cpu: '1m', memory: '4Mi' } },
            },
          ],
        },
      },
    },
  };
}
