import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { pino } from 'pino';
import { systemClock } from '../../runtime/shared/clock';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { Informer } from '../../runtime/shared/kubernetes/informer';
import type { Pod } from '../../runtime/shared/kubernetes/types';
import {
  startControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from '../wire/support/control-plane';
import { startExtenderScheduler } from '../wire/support/extender-scheduler';
import { apiOf, createNamespace, createPod, eventually } from '../wire/support/kube';
import { nodeObject } from './extender-nodes';
import { SCHEDULER } from './extender-servers';

const NAMESPACE = 'bench';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
/** Faster than any kube-scheduler here: its client is not what is measured. */
const QPS = 5000;
/** Pods at the beginning are not counted: programs warm up. */
const WARM_SHARE = 0.25;
/** How the pods of the light load are called. */
const LIGHT = 'light-';

/** How a kube-scheduler places pods. */
export interface Scheduling {
  /** Undefined: none. */
  readonly extenderUrl: string | undefined;
  readonly nodeCacheCapable: boolean;
  /** True: its own scores rank the nodes, as it is shipped. */
  readonly ownScores: boolean;
  /** Share of nodes that are looked at for each pod, in percent; 0 is the default, which falls with their number. */
  readonly samplingPercent: number;
  /** Requests of its client in a second, on average and at once; without it, more than any is able to make. */
  readonly qps?: number;
}

/** A scheduler that runs. */
export interface RunningScheduler {
  /** Processor time that it has used so far, in ms. */
  processorMs(): Promise<number>;
  stop(): Promise<unknown>;
}

/** What one scheduler did. */
export interface Placed {
  readonly podsPerSecond: number;
  /** Pods placed in all, those not counted for the rate among them. */
  readonly pods: number;
  /** Processor time for each pod after the first: of the scheduler, and of the API server with its store. */
  readonly schedulerMs: number;
  readonly serverMs: number;
  /** From asking for each of the pods of the light load until it was seen on a node, in ms; none where none was asked for. */
  readonly lightMs: readonly number[];
}

/** Pods that come one by one, when nothing else waits. */
export interface LightLoad {
  readonly pods: number;
  /** Between two of them. */
  readonly gapMs: number;
}

/** A real API server with nodes that are objects only, and one kube-scheduler at a time. */
export class PlacementCluster {
  #nodes = 0;
  private constructor(
    readonly plane: ControlPlane,
    private readonly api: KubeApi,
  ) {}

  static async start(options: ControlPlaneOptions = {}): Promise<PlacementCluster> {
    const plane = await startControlPlane(options);
    const api = await apiOf(plane.kubeconfig);
    await createNamespace(api, NAMESPACE);
    return new PlacementCluster(plane, api);
  }

  /** Adds nodes until there are these. */
  async grow(names: readonly string[]): Promise<void> {
    const limit = pLimit(32);
    const added = names.slice(this.#nodes);
    this.#nodes = names.length;
    const create = async (name: string): Promise<void> => {
      await this.api.request({ method: 'POST', path: '/api/v1/nodes', body: nodeObject(name) });
      // Admission taints every new node as not ready; without the node controller nobody takes that away.
      await this.api.request({
        method: 'PATCH',
        path: `/api/v1/nodes/${name}`,
        contentType: 'application/merge-patch+json',
        body: { spec: { taints: null } },
      });
    };
    await Promise.all(added.map((name) => limit(() => create(name))));
  }

  /** Lets a fresh kube-scheduler place so many waiting pods, for so long at most. */
  async place(
    scheduling: Scheduling,
    pods: number,
    limitMs: number,
    light?: LightLoad,
  ): Promise<Placed> {
    const folder = await mkdtemp(path.join(tmpdir(), 'berth-bench-'));
    try {
      const start = () => this.#kubeScheduler(folder, scheduling);
      return await this.placeWith(start, pods, limitMs, light);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Lets a scheduler that is started when the pods wait place so many of them, for so long at most; then light load. */
  async placeWith(
    start: () => Promise<RunningScheduler>,
    pods: number,
    limitMs: number,
    light: LightLoad = { pods: 0, gapMs: 0 },
  ): Promise<Placed> {
    const limit = pLimit(32);
    const create = (name: string): Promise<unknown> =>
      createPod(this.api, NAMESPACE, name, { cpu: '10m', spec: { schedulerName: SCHEDULER } });
    await Promise.all(
      Array.from({ length: pods }, (_, index) => limit(() => create(`pod-${index}`))),
    );
    const boundAtMs = new Map<string, number>();
    const lightAtMs = new Map<string, number>();
    const present = new Set<string>();
    const end = new AbortController();
    const informer = new Informer<Pod, Pod>(
      this.api,
      { path: PODS, project: (pod) => pod },
      {
        set: ({ metadata, spec }) => {
          present.add(metadata.uid);
          if (spec.nodeName === undefined) return;
          const { name } = metadata;
          const [times, key] = name.startsWith(LIGHT)
            ? ([lightAtMs, name] as const)
            : ([boundAtMs, metadata.uid] as const);
          if (!times.has(key)) times.set(key, performance.now());
        },
        remove: ({ metadata }) => void present.delete(metadata.uid),
      },
      systemClock,
      pino({ level: 'silent' }),
    );
    const watching = informer.run(end.signal);
    await eventually('the pods are listed', async () => informer.synced);
    const scheduler = await start();
    try {
      await eventually('the first pod is bound', async () => boundAtMs.size > 0);
      const before = boundAtMs.size;
      const schedulerBeforeMs = await scheduler.processorMs();
      const serverBeforeMs = await this.plane.processorMs();
      const untilMs = performance.now() + limitMs;
      await eventually(
        'time is over, or all are bound',
        async () => boundAtMs.size === pods || performance.now() > untilMs,
      );
      const counted = boundAtMs.size - before;
      const burst = {
        podsPerSecond: rateOf([...boundAtMs.values()]),
        pods: boundAtMs.size,
        schedulerMs: ((await scheduler.processorMs()) - schedulerBeforeMs) / counted,
        serverMs: ((await this.plane.processorMs()) - serverBeforeMs) / counted,
      };
      const lightMs: number[] = [];
      if (light.pods > 0) {
        await this.#removePods();
        await eventually('no pod of before is left', async () => present.size === 0);
        const askedAtMs = new Map<string, number>();
        for (let index = 0; index < light.pods; index += 1) {
          const name = `${LIGHT}${index}`;
          askedAtMs.set(name, performance.now());
          await create(name);
          await pause(light.gapMs);
        }
        await eventually('all of them are bound', async () => lightAtMs.size === light.pods);
        for (const [name, askedMs] of askedAtMs)
          lightMs.push((lightAtMs.get(name) ?? NaN) - askedMs);
      }
      return { ...burst, lightMs };
    } finally {
      await scheduler.stop();
      end.abort();
      await watching;
      await this.#removePods();
    }
  }

  async #kubeScheduler(folder: string, scheduling: Scheduling): Promise<RunningScheduler> {
    const { qps = QPS } = scheduling;
    const processes = await startExtenderScheduler(
      folder,
      {
        schedulerName: SCHEDULER,
        extenderUrl: scheduling.extenderUrl ?? '',
        nodeCacheCapable: scheduling.nodeCacheCapable,
        httpTimeoutSeconds: 120,
        ignorable: false,
        leaseNamespace: undefined,
      },
      {
        clientConnection: { kubeconfig: this.plane.kubeconfigPath, qps, burst: 2 * qps },
        percentageOfNodesToScore: scheduling.samplingPercent,
        ...(scheduling.extenderUrl === undefined && { extenders: [] }),
        ...(scheduling.ownScores && { profiles: [{ schedulerName: SCHEDULER }] }),
      },
    );
    return {
      processorMs: () => processes.processorMs(SCHEDULER),
      stop: () => processes.stop(),
    };
  }

  async stop(): Promise<void> {
    await this.api.close();
    await this.plane.stop();
  }

  async #removePods(): Promise<void> {
    const query = { gracePeriodSeconds: 0 };
    await this.api.request({ method: 'DELETE', path: PODS, query, timeoutMs: 600_000 });
  }
}

function rateOf(timesMs: readonly number[]): number {
  const counted = timesMs.slice(Math.floor(timesMs.length * WARM_SHARE));
  const [first = NaN, last = NaN] = [counted[0], counted.at(-1)];
  return counted.length < 3 ? NaN : ((counted.length - 1) * 1000) / (last - first);
}
