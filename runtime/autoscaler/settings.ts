import { SettingsError, type SettingsOf } from '../shared/settings';
import {
  booleanSetting,
  defineSettings,
  integerSetting,
  numberSetting,
  stringSetting,
} from '../shared/settings';
import { z } from 'zod';
import { dockerSettings } from './containers/settings';
import { logOutputSettings } from './log/settings';
import {
  disruptionSettings,
  kubernetesSettings,
  leaseSettings,
  nodeCpuSettings,
} from '../shared/service-settings';
import { tlsSettings } from '../shared/tls/settings';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const WORKER_NAMES = /^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(,[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** How much, how often and from which figures on nodes come and go. */
export const scalingSettings = defineSettings({
  checkIntervalMs: {
    env: 'CHECK_INTERVAL_MS',
    description: 'check_interval: time between two looks at the cluster',
    unit: 'ms',
    schema: integerSetting(100, 60 * MINUTE, 5 * SECOND),
  },
  dryRun: {
    env: 'DRY_RUN',
    description: 'dry_run: decide, log and count, but change nothing',
    schema: booleanSetting(false),
  },
  pendingPods: {
    env: 'PENDING_PODS',
    description: 'pending_pods: so many pods that a new node would take make it grow',
    unit: 'pods',
    schema: integerSetting(1, 100_000, 1),
  },
  cpuThresholdRatio: {
    env: 'CPU_THRESHOLD',
    description: 'cpu_threshold: CPU from which on it grows, if memory is as high as its own',
    unit: 'ratio 0..1',
    schema: numberSetting(0.01, 1, 0.8),
  },
  memoryThresholdRatio: {
    env: 'MEMORY_THRESHOLD',
    description: 'memory_threshold: memory from which on it grows, if CPU is as high as its own',
    unit: 'ratio 0..1',
    schema: numberSetting(0.01, 1, 0.8),
  },
  cpuScaleDownRatio: {
    env: 'CPU_SCALE_DOWN',
    description: 'cpu_scale_down: CPU below which it may shrink',
    unit: 'ratio 0..1',
    schema: numberSetting(0, 1, 0.3),
  },
  memoryScaleDownRatio: {
    env: 'MEMORY_SCALE_DOWN',
    description: 'memory_scale_down: memory below which it may shrink',
    unit: 'ratio 0..1',
    schema: numberSetting(0, 1, 0.3),
  },
  minNodes: {
    env: 'MIN_NODES',
    description: 'min_nodes: fewest workers',
    unit: 'nodes',
    schema: integerSetting(0, 10_000, 2),
  },
  maxNodes: {
    env: 'MAX_NODES',
    description: 'max_nodes: most workers',
    unit: 'nodes',
    schema: integerSetting(1, 10_000, 6),
  },
  scaleUpCooldownMs: {
    env: 'SCALE_UP_COOLDOWN_MS',
    description: 'scale_up_cooldown: time after growing in which it does not grow again',
    unit: 'ms',
    schema: integerSetting(0, DAY, MINUTE),
  },
  scaleDownCooldownMs: {
    env: 'SCALE_DOWN_COOLDOWN_MS',
    description: 'scale_down_cooldown: time after growing or shrinking in which it does not shrink',
    unit: 'ms',
    schema: integerSetting(0, DAY, 2 * MINUTE),
  },
  maxScaleUp: {
    env: 'MAX_SCALE_UP',
    description: 'Most workers that one decision adds',
    unit: 'nodes',
    schema: integerSetting(1, 100, 3),
  },
  maxScaleDown: {
    env: 'MAX_SCALE_DOWN',
    description: 'Most workers that one decision removes',
    unit: 'nodes',
    schema: integerSetting(1, 100, 1),
  },
  readingMaxAgeMs: {
    env: 'READING_MAX_AGE_MS',
    description: 'A reading of CPU or memory older than this is unknown',
    unit: 'ms',
    schema: integerSetting(SECOND, 10 * MINUTE, MINUTE),
  },
  permanentWorkers: {
    env: 'PERMANENT_WORKERS',
    description: 'Workers that are never removed, by name, with commas between',
    schema: z
      .string()
      .regex(WORKER_NAMES, 'must be node names with commas between')
      .default('k3s-worker-1,k3s-worker-2')
      .transform((text) => new Set(text.split(',').filter((name) => name !== ''))),
  },
  evictBarePods: {
    env: 'EVICT_BARE_PODS',
    description: 'Evict pods that have no controller, which nothing starts again elsewhere',
    schema: booleanSetting(false),
  },
  evictionCooldownMs: {
    env: 'EVICTION_COOLDOWN_MS',
    description:
      'A node is kept while an owner of its pods has lost a pod to an eviction within this',
    unit: 'ms',
    schema: integerSetting(0, DAY, 10 * MINUTE),
  },
});

/** How a node is added or removed. */
export const operationSettings = defineSettings({
  operationConcurrency: {
    env: 'OPERATION_CONCURRENCY',
    description: 'Workers that are added or removed at the same time',
    schema: integerSetting(1, 100, 3),
  },
  startLimitMs: {
    env: 'START_LIMIT_MS',
    description: 'A new worker that is not Ready after this is taken away again',
    unit: 'ms',
    schema: integerSetting(SECOND, 60 * MINUTE, 5 * MINUTE),
  },
  drainLimitMs: {
    env: 'DRAIN_LIMIT_MS',
    description: 'A node that is not drained after this is uncordoned and kept',
    unit: 'ms',
    schema: integerSetting(SECOND, 24 * 60 * MINUTE, 5 * MINUTE),
  },
  goneLimitMs: {
    env: 'GONE_LIMIT_MS',
    description: 'How long one try waits for a removed node to be gone; further tries follow',
    unit: 'ms',
    schema: integerSetting(SECOND, 60 * MINUTE, MINUTE),
  },
  pollIntervalMs: {
    env: 'POLL_INTERVAL_MS',
    description: 'Time between two looks at what an operation waits for',
    unit: 'ms',
    schema: integerSetting(10, MINUTE, SECOND),
  },
  reconcileIntervalMs: {
    env: 'RECONCILE_INTERVAL_MS',
    description: 'Time between two comparisons of Docker, Kubernetes, Redis and MongoDB',
    unit: 'ms',
    schema: integerSetting(SECOND, 24 * 60 * MINUTE, MINUTE),
  },
});

/** Where it listens and what it talks to. */
export const connectionSettings = defineSettings({
  httpHost: {
    env: 'HTTP_HOST',
    description: 'Address the HTTP servers listen on',
    schema: stringSetting('0.0.0.0'),
  },
  port: {
    env: 'PORT',
    description: 'Port of the REST API; 0 takes a free one',
    schema: integerSetting(0, 65_535, 8080),
  },
  metricsPort: {
    env: 'METRICS_PORT',
    description: 'Port of /metrics; 0 takes a free one',
    schema: integerSetting(0, 65_535, 9091),
  },
  apiToken: {
    env: 'API_TOKEN',
    description: 'Bearer token of every request that changes something',
    schema: z.string({ error: 'is required' }).min(16, 'must be at least 16 characters long'),
    secret: true,
  },
  redisUrl: {
    env: 'REDIS_URL',
    description: 'URL of Redis, with its password',
    schema: z
      .url({ protocol: /^rediss?$/, error: 'must be a redis or rediss URL' })
      .default('redis://redis:6379'),
    secret: true,
  },
  redisTimeoutMs: {
    env: 'REDIS_TIMEOUT_MS',
    description: 'Time limit of one command to Redis',
    unit: 'ms',
    schema: integerSetting(100, MINUTE, 5 * SECOND),
  },
});

/** Where the history is kept. */
export const mongoSettings = defineSettings({
  mongoUrl: {
    env: 'MONGO_URL',
    description: 'URL of MongoDB, with user and password',
    schema: z
      .string()
      .regex(/^mongodb(\+srv)?:\/\/\S+$/, 'must be a mongodb or mongodb+srv URL')
      .default('mongodb://mongodb:27017'),
    secret: true,
  },
  mongoDatabase: {
    env: 'MONGO_DATABASE',
    description: 'Database of the history and of the records of workers',
    schema: stringSetting('autoscaler'),
  },
  mongoTimeoutMs: {
    env: 'MONGO_TIMEOUT_MS',
    description: 'Time limit of one request to MongoDB',
    unit: 'ms',
    schema: integerSetting(100, MINUTE, 5 * SECOND),
  },
});

/** What is kept of decisions, for replay. */
export const recordSettings = defineSettings({
  decisionIntervalMs: {
    env: 'DECISION_INTERVAL_MS',
    description: 'A decision like the last one is recorded for replay so often',
    unit: 'ms',
    schema: integerSetting(100, DAY, MINUTE),
  },
  decisionsKept: {
    env: 'DECISIONS_KEPT',
    description: 'So many decisions are kept in MongoDB for replay, the latest',
    schema: integerSetting(1, 100_000, 2000),
  },
});

/** What nodes use, as Prometheus knows it. */
export const usageSettings = defineSettings({
  ...nodeCpuSettings,
  memoryQuery: {
    env: 'MEMORY_QUERY',
    description:
      'PromQL of memory use, one series for each node with label node or instance, value a ratio 0..1',
    schema: stringSetting(
      '1 - max by (instance, node) (node_memory_MemAvailable_bytes) / max by (instance, node) (node_memory_MemTotal_bytes)',
    ),
  },
  memoryTimeQuery: {
    env: 'MEMORY_TIME_QUERY',
    description:
      'PromQL of when those samples were scraped, with the same labels; sent as one query with MEMORY_QUERY',
    unit: 's since 1970',
    schema: stringSetting('max by (instance, node) (timestamp(node_memory_MemAvailable_bytes))'),
  },
});

/** Every setting of the autoscaler. */
export const autoscalerSettings = defineSettings({
  ...scalingSettings,
  ...operationSettings,
  ...connectionSettings,
  ...dockerSettings,
  ...mongoSettings,
  ...recordSettings,
  ...kubernetesSettings,
  ...usageSettings,
  ...leaseSettings('berth-system', 'autoscaler'),
  ...disruptionSettings,
  ...tlsSettings('the REST API'),
  ...logOutputSettings,
});

export type ScalingSettings = SettingsOf<typeof scalingSettings>;
export type OperationSettings = SettingsOf<typeof operationSettings>;
export type AutoscalerSettings = SettingsOf<typeof autoscalerSettings>;

/** Refuses settings by which it could never rest. @throws SettingsError naming each pair that contradicts itself */
export function checkScalingSettings(settings: ScalingSettings): void {
  const problems: string[] = [];
  if (settings.minNodes > settings.maxNodes)
    problems.push('MIN_NODES: must not be above MAX_NODES');
  if (settings.permanentWorkers.size > settings.maxNodes)
    problems.push('PERMANENT_WORKERS: must not name more workers than MAX_NODES');
  if (settings.cpuScaleDownRatio >= settings.cpuThresholdRatio)
    problems.push('CPU_SCALE_DOWN: must be below CPU_THRESHOLD');
  if (settings.memoryScaleDownRatio >= settings.memoryThresholdRatio)
    problems.push('MEMORY_SCALE_DOWN: must be below MEMORY_THRESHOLD');
  if (problems.length > 0) throw new SettingsError(problems);
}
