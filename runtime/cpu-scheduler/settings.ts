import {
  booleanSetting,
  defineSettings,
  integerSetting,
  numberSetting,
  stringSetting,
  type SettingsOf,
} from '../shared/settings';
import {
  disruptionSettings,
  httpSettings,
  kubernetesSettings,
  leaseSettings,
  logSettings,
  nodeCpuSettings,
} from '../shared/service-settings';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Every setting of the cpu-scheduler; the components generate the container's environment from it. */
export const cpuSchedulerSettings = defineSettings({
  schedulerName: {
    env: 'SCHEDULER_NAME',
    description: 'Pods with this spec.schedulerName are scheduled, in any namespace',
    schema: stringSetting('cpu-scheduler'),
  },
  ...kubernetesSettings,
  ...nodeCpuSettings,
  readingMaxAgeMs: {
    env: 'READING_MAX_AGE_MS',
    description: 'A CPU reading older than this is unknown',
    unit: 'ms',
    schema: integerSetting(SECOND, 10 * MINUTE, 30 * SECOND),
  },
  firstReadingWaitMs: {
    env: 'FIRST_READING_WAIT_MS',
    description: 'How long a new leader waits for CPU readings before it places pods without',
    unit: 'ms',
    schema: integerSetting(0, 10 * MINUTE, 3 * SECOND),
  },
  partialRoundWaitMs: {
    env: 'PARTIAL_ROUND_WAIT_MS',
    description:
      'After none was known, readings count once every Ready node has one, or this long after the first came',
    unit: 'ms',
    schema: integerSetting(0, 10 * MINUTE, 30 * SECOND),
  },
  cpuThreshold: {
    env: 'CPU_THRESHOLD',
    description: 'A node whose effective CPU is at or above this gets no pod',
    unit: 'ratio 0..1',
    schema: numberSetting(0.05, 1, 0.9),
  },
  nearTieWidthRatio: {
    env: 'NEAR_TIE_WIDTH_RATIO',
    description: 'How much busier a fully preferred node may be and still win',
    unit: 'ratio 0..1',
    schema: numberSetting(0, 0.5, 0.05),
  },
  defaultPodCpuMillis: {
    env: 'DEFAULT_POD_CPU_MILLIS',
    description: 'CPU that a pod without a CPU request is taken to use while no reading shows it',
    unit: 'thousandths of a processor',
    schema: integerSetting(1, 64_000, 200),
  },
  placementSettleMs: {
    env: 'PLACEMENT_SETTLE_MS',
    description: 'A reading shows a pod once it was taken this long after the pod started',
    unit: 'ms',
    schema: integerSetting(0, 5 * MINUTE, 15 * SECOND),
  },
  podStartLimitMs: {
    env: 'POD_START_LIMIT_MS',
    description: 'A bound pod that has not started counts as about to, for this long',
    unit: 'ms',
    schema: integerSetting(0, 60 * MINUTE, 2 * MINUTE),
  },
  bindConcurrency: {
    env: 'BIND_CONCURRENCY',
    description: 'Bindings in flight at once',
    schema: integerSetting(1, 512, 96),
  },
  assumeTtlMs: {
    env: 'ASSUME_TTL_MS',
    description: 'A bound pod that the watch does not show is forgotten after this',
    unit: 'ms',
    schema: integerSetting(SECOND, 10 * MINUTE, MINUTE),
  },
  backoffMinMs: {
    env: 'BACKOFF_MIN_MS',
    description: 'Wait before a pod is tried a second time; doubles with each further try',
    unit: 'ms',
    schema: integerSetting(10, MINUTE, SECOND),
  },
  backoffMaxMs: {
    env: 'BACKOFF_MAX_MS',
    description: 'Longest wait between two tries of a pod',
    unit: 'ms',
    schema: integerSetting(10, 10 * MINUTE, 10 * SECOND),
  },
  eventsPerSecond: {
    env: 'EVENTS_PER_SECOND',
    description:
      'Events written to the API server, sustained; after a pause those of two seconds at once',
    unit: '1/s',
    schema: integerSetting(1, 1000, 50),
  },
  offloadIntervalMs: {
    env: 'OFFLOAD_INTERVAL_MS',
    description: 'Time between two looks for nodes to offload',
    unit: 'ms',
    schema: integerSetting(SECOND, 60 * MINUTE, 30 * SECOND),
  },
  offloadDryRun: {
    env: 'OFFLOAD_DRY_RUN',
    description: 'Decide and report evictions, but evict nothing',
    schema: booleanSetting(false),
  },
  offloadMinAgeMs: {
    env: 'OFFLOAD_MIN_AGE_MS',
    description: 'A pod that has run for less is not evicted',
    unit: 'ms',
    schema: integerSetting(0, 24 * 60 * MINUTE, MINUTE),
  },
  offloadMaxPerCycle: {
    env: 'OFFLOAD_MAX_PER_CYCLE',
    description: 'Most pods evicted in one look; 0 turns offloading off',
    schema: integerSetting(0, 100, 2),
  },
  offloadMaxPerNode: {
    env: 'OFFLOAD_MAX_PER_NODE',
    description: 'Most pods evicted from one node in one look',
    schema: integerSetting(1, 100, 1),
  },
  offloadCooldownMs: {
    env: 'OFFLOAD_COOLDOWN_MS',
    description: 'No pod, and no pod of the same Job, is evicted twice within this',
    unit: 'ms',
    schema: integerSetting(MINUTE, 24 * 60 * MINUTE, 10 * MINUTE),
  },
  offloadAvoidMs: {
    env: 'OFFLOAD_AVOID_MS',
    description:
      'Pods that the Job makes after an eviction stay off the node it left for this long',
    unit: 'ms',
    schema: integerSetting(0, 24 * 60 * MINUTE, 10 * MINUTE),
  },
  offloadReserveMs: {
    env: 'OFFLOAD_RESERVE_MS',
    description: 'How long room is kept on the target for the replacement of an evicted pod',
    unit: 'ms',
    schema: integerSetting(SECOND, 60 * MINUTE, MINUTE),
  },
  ...leaseSettings('berth-system', 'cpu-scheduler'),
  ...disruptionSettings,
  explainHistory: {
    env: 'EXPLAIN_HISTORY',
    description: 'Decisions kept for /explain',
    schema: integerSetting(1, 100_000, 2000),
  },
  explainAllNodes: {
    env: 'EXPLAIN_ALL_NODES',
    description: 'In clusters of at most this many nodes a kept decision lists every node',
    unit: 'nodes',
    schema: integerSetting(0, 1000, 50),
  },
  ...httpSettings(8080, '/healthz, /readyz, /metrics and /explain'),
  ...logSettings,
});

/** The parsed settings. */
export type CpuSchedulerSettings = SettingsOf<typeof cpuSchedulerSettings>;
