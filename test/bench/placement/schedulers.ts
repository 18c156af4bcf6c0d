import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../../runtime/shared/clock';
import { PrometheusCpu } from '../../../runtime/shared/node-cpu/prometheus-cpu';
import { PrometheusClient } from '../../../runtime/shared/prometheus';
import { RunningService } from '../../wire/support/running-service';
import type { LiveCluster } from './live-cluster';
import { inTurn, offHotNodes, type NodeUse } from './published';

/** A scheduler that runs until it is stopped. */
export interface PlacingScheduler {
  readonly schedulerName: string;
  stop(): Promise<unknown>;
}

/** How the schedulers read a cluster of kwok, and how much faster than in life they go about it. */
export interface Pace {
  readonly speed: number;
  readonly processorsPerNode: number;
}

/** The published scheduler looks so often, and leaves pods alone that are younger than this. */
const PUBLISHED_INTERVAL_MS = 30_000;
const PUBLISHED_MIN_AGE_MS = 5000;
const SCRAPE_INTERVAL_MS = 10_000;
const USED = 'node_cpu_usage_seconds_total';

/** The shortest that Prometheus, and the cpu-scheduler, can be told. */
export const scrapeIntervalMs = (speed: number): number =>
  Math.max(1000, Math.round(SCRAPE_INTERVAL_MS / speed));

const queriesOf = (processors: number): Readonly<Record<'ratio' | 'time', string>> => ({
  ratio: `max by (instance, node) (irate(${USED}[1m])) / ${processors}`,
  time: `max by (instance, node) (timestamp(${USED}))`,
});

/** Reads what each node uses, as schedulers do. */
export function usesOf(cluster: LiveCluster, { processorsPerNode }: Pace) {
  const { ratio, time } = queriesOf(processorsPerNode);
  const client = new PrometheusClient(cluster.prometheus.url, 30_000);
  const cpu = new PrometheusCpu(client, systemClock, ratio, time);
  const addressed = cluster.nodes.map((name) => ({ name, internalIps: [], hostnames: [] }));
  return {
    read: async (): Promise<NodeUse[]> =>
      [...(await cpu.read(addressed)).byNode].map(([node, { cpuRatio }]) => ({ node, cpuRatio })),
    close: () => client.close(),
  };
}

/** kube-scheduler is there already. */
export const kubeScheduler = async (): Promise<PlacingScheduler> => ({
  schedulerName: 'default-scheduler',
  stop: async () => undefined,
});

/** Ours, as a process of its own; its times are the defaults, as much shorter as the trace is faster. */
export async function startOurs(cluster: LiveCluster, pace: Pace): Promise<PlacingScheduler> {
  const { ratio, time } = queriesOf(pace.processorsPerNode);
  const scaled = (ms: number, leastMs = 0): string =>
    String(Math.max(leastMs, Math.round(ms / pace.speed)));
  const service = await RunningService.start('cpu-scheduler', {
    KUBECONFIG: cluster.plane.kubeconfigPath,
    PROM_URL: cluster.prometheus.url,
    CPU_QUERY: ratio,
    CPU_TIME_QUERY: time,
    CPU_POLL_INTERVAL_MS: scaled(10_000, 1000),
    PLACEMENT_SETTLE_MS: scaled(15_000),
    POD_START_LIMIT_MS: scaled(120_000),
    BACKOFF_MIN_MS: scaled(1000, 10),
    BACKOFF_MAX_MS: scaled(10_000, 10),
    OFFLOAD_INTERVAL_MS: scaled(30_000, 1000),
    OFFLOAD_MIN_AGE_MS: scaled(60_000),
    OFFLOAD_COOLDOWN_MS: scaled(600_000, 60_000),
    OFFLOAD_AVOID_MS: scaled(600_000),
    OFFLOAD_RESERVE_MS: scaled(60_000, 1000),
  });
  try {
    await service.leads();
  } catch (error) {
    await service.stop();
    throw error;
  }
  return { schedulerName: 'cpu-scheduler', stop: () => service.stop() };
}

/** The published algorithm. */
export async function startPublished(cluster: LiveCluster, pace: Pace): Promise<PlacingScheduler> {
  const schedulerName = 'published';
  const uses = usesOf(cluster, pace);
  const end = new AbortController();
  const once = async (): Promise<void> => {
    const nodes = await uses.read();
    const ours = () =>
      [...cluster.pods.values()]
        .filter(({ deleting, phase }) => !deleting && (phase === 'Running' || phase === 'Pending'))
        .map((pod) => ({ ...pod, ageMs: (Date.now() - pod.createdMs) * pace.speed }));
    const running = ours().filter(({ phase }) => phase === 'Running');
    for (const pod of offHotNodes(running, nodes)) await cluster.deletePod(pod);
    const old = ours().filter(({ ageMs }) => ageMs >= PUBLISHED_MIN_AGE_MS);
    for (const { pod, node } of inTurn(old, nodes)) await cluster.bindPod(pod, node);
  };
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      await once();
      await pause(PUBLISHED_INTERVAL_MS / pace.speed, undefined, { signal: end.signal }).catch(
        () => undefined,
      );
    }
  };
  const running = run();
  // What fails is told when it is stopped.
  running.catch(() => undefined);
  return {
    schedulerName,
    stop: async () => {
      end.abort();
      await running.finally(() => uses.close());
    },
  };
}
