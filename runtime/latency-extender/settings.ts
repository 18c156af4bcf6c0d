import { z } from 'zod';
import {
  httpSettings,
  kubernetesSettings,
  logSettings,
  prometheusSettings,
} from '../shared/service-settings';
import {
  defineSettings,
  integerSetting,
  numberSetting,
  SettingsError,
  stringSetting,
  type SettingsOf,
} from '../shared/settings';
import { checkTlsFiles, clientTlsSettings } from '../shared/tls/settings';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const MIB = 1024 * 1024;

const policySettings = defineSettings({
  cpuWeight: {
    env: 'CPU_WEIGHT',
    description: 'Weight of free CPU in the score; with LATENCY_WEIGHT at most 1',
    schema: numberSetting(0, 1, 0.3),
  },
  latencyWeight: {
    env: 'LATENCY_WEIGHT',
    description: 'Weight of nearness in the score',
    schema: numberSetting(0, 1, 0.7),
  },
  cpuLimitRatio: {
    env: 'CPU_LIMIT_RATIO',
    description: 'A node with more CPU in use is filtered out',
    unit: 'ratio 0..1',
    schema: numberSetting(0, 1, 0.85),
  },
  latencyLimitRatio: {
    env: 'LATENCY_LIMIT_RATIO',
    description: "A node with more latency is filtered out; of the probers' full scale",
    unit: 'ratio 0..1',
    schema: numberSetting(0, 1, 0.5),
  },
  cpuPenaltyFromRatio: {
    env: 'CPU_PENALTY_FROM_RATIO',
    description: 'From this CPU up to CPU_LIMIT_RATIO the penalty is taken',
    unit: 'ratio 0..1',
    schema: numberSetting(0, 1, 0.7),
  },
  cpuPenalty: {
    env: 'CPU_PENALTY',
    description: 'What is then taken from the score: 15 points of 100 are 0.15',
    unit: 'ratio 0..1',
    schema: numberSetting(0, 1, 0.15),
  },
  nothingFresh: {
    env: 'NOTHING_FRESH',
    description:
      'When no node has a fresh probe: open passes all nodes with an equal score and writes an event, closed passes none',
    schema: z.enum(['open', 'closed'], { error: 'must be open or closed' }).default('open'),
  },
  defaultPodCpuMillis: {
    env: 'DEFAULT_POD_CPU_MILLIS',
    description: 'CPU that a pod placed just now is taken to use when it requests none',
    unit: 'thousandths of a processor',
    schema: integerSetting(0, 64_000, 100),
  },
  placementSettleMs: {
    env: 'PLACEMENT_SETTLE_MS',
    description: 'A reading shows a pod once it was taken this long after the pod was placed',
    unit: 'ms',
    schema: integerSetting(0, 10 * MINUTE, 30 * SECOND),
  },
  assumeTtlMs: {
    env: 'ASSUME_TTL_MS',
    description:
      'A pod that was rated and is not seen on a node after this is not counted any more',
    unit: 'ms',
    schema: integerSetting(SECOND, 10 * MINUTE, 15 * SECOND),
  },
});

const readingSettings = defineSettings({
  busiestQuery: {
    env: 'BUSIEST_QUERY',
    description: 'PromQL whose highest series names the busiest node, with label node',
    unit: '1/s',
    schema: stringSetting(
      'topk(1, sum by (node) (rate(traefik_entrypoint_requests_total{entrypoint="web"}[1m])))',
    ),
  },
  trafficIntervalMs: {
    env: 'TRAFFIC_INTERVAL_MS',
    description:
      'Time between two questions for the busiest node; asked in each round while it is not known',
    unit: 'ms',
    schema: integerSetting(100, 10 * MINUTE, 10 * SECOND),
  },
  trafficMaxAgeMs: {
    env: 'TRAFFIC_MAX_AGE_MS',
    description: 'The busiest node is that of the last answer of Prometheus for so long',
    unit: 'ms',
    schema: integerSetting(SECOND, 60 * MINUTE, 2 * MINUTE),
  },
  firstTargetWaitMs: {
    env: 'FIRST_TARGET_WAIT_MS',
    description: 'A new replica is not ready before it knows the busiest node, or this has passed',
    unit: 'ms',
    schema: integerSetting(0, 10 * MINUTE, 0),
  },
  refreshIntervalMs: {
    env: 'REFRESH_INTERVAL_MS',
    description: 'Time between two rounds of questions to the probers',
    unit: 'ms',
    schema: integerSetting(100, 10 * MINUTE, 10 * SECOND),
  },
  tableIntervalMs: {
    env: 'TABLE_INTERVAL_MS',
    description: 'Time after which the table is made anew without a new reading',
    unit: 'ms',
    schema: integerSetting(100, MINUTE, SECOND),
  },
  probeTimeoutMs: {
    env: 'PROBE_TIMEOUT_MS',
    description: 'Time limit of one question to a prober',
    unit: 'ms',
    schema: integerSetting(10, MINUTE, 2 * SECOND),
  },
  probeConcurrency: {
    env: 'PROBE_CONCURRENCY',
    description: 'Questions to probers in flight at once',
    schema: integerSetting(1, 1000, 64),
  },
  probeMaxAgeMs: {
    env: 'PROBE_MAX_AGE_MS',
    description: 'An answer of a prober, or a reading in it, that is older is not fresh',
    unit: 'ms',
    schema: integerSetting(100, 10 * MINUTE, 30 * SECOND),
  },
  probers: {
    env: 'PROBERS',
    description: 'Probers as node=host:port,node=host:port; empty: pods are looked for',
    schema: z
      .string()
      .regex(/^([^=,\s]+=[^=,\s]+:\d+(,|$))*$/, 'must be node=host:port,node=host:port')
      .default(''),
  },
  proberNamespace: {
    env: 'PROBER_NAMESPACE',
    description: 'Namespace of the pods of the probers',
    schema: stringSetting('berth-system'),
  },
  proberSelector: {
    env: 'PROBER_SELECTOR',
    description: 'Label selector of the pods of the probers',
    schema: stringSetting('app.kubernetes.io/name=prober'),
  },
  proberPort: {
    env: 'PROBER_PORT',
    description: 'Port of the probers',
    schema: integerSetting(1, 65_535, 3000),
  },
});

/** Every setting of the latency extender; the components generate the container's environment from it. */
export const latencyExtenderSettings = defineSettings({
  schedulerName: {
    env: 'SCHEDULER_NAME',
    description: 'Pods with this spec.schedulerName are followed to where they are bound',
    schema: stringSetting('latency-aware-scheduler'),
  },
  ...policySettings,
  ...readingSettings,
  prioritizeMaxHosts: {
    env: 'PRIORITIZE_MAX_HOSTS',
    description: 'The best nodes that /prioritize names; those left out score 0',
    schema: integerSetting(1, 100_000, 20),
  },
  maxBodyBytes: {
    env: 'MAX_BODY_BYTES',
    description: 'A larger request is refused; 5,000 nodes in full with 20 KiB each are 98 MiB',
    unit: 'bytes',
    schema: integerSetting(1024, 1024 * MIB, 128 * MIB),
  },
  explainHistory: {
    env: 'EXPLAIN_HISTORY',
    description: 'Pods whose last answers are kept for /explain',
    schema: integerSetting(0, 100_000, 1000),
  },
  explainAllNodes: {
    env: 'EXPLAIN_ALL_NODES',
    description: 'Up to this many nodes asked for, each of them is kept for /explain',
    schema: integerSetting(0, 1000, 50),
  },
  eventsPerSecond: {
    env: 'EVENTS_PER_SECOND',
    description: 'Events written in a second',
    unit: '1/s',
    schema: integerSetting(1, 1000, 10),
  },
  ...kubernetesSettings,
  ...prometheusSettings,
  ...httpSettings(3001, '/filter, /prioritize, /state, /explain, /healthz, /readyz and /metrics'),
  ...clientTlsSettings('that port, at which /filter and /prioritize then want clients to have one'),
  ...logSettings,
});

export type LatencyExtenderSettings = SettingsOf<typeof latencyExtenderSettings>;

/** Refuses settings that contradict one another. @throws SettingsError */
export function checkLatencyExtenderSettings(settings: LatencyExtenderSettings): void {
  checkTlsFiles(settings);
  const problems: string[] = [];
  if (settings.cpuWeight + settings.latencyWeight > 1 + 1e-9)
    problems.push('CPU_WEIGHT and LATENCY_WEIGHT: must be 1 or less together');
  if (settings.cpuPenaltyFromRatio > settings.cpuLimitRatio)
    problems.push('CPU_PENALTY_FROM_RATIO: must not be above CPU_LIMIT_RATIO');
  if (settings.probeMaxAgeMs <= settings.refreshIntervalMs)
    problems.push('PROBE_MAX_AGE_MS: must be above REFRESH_INTERVAL_MS');
  if (problems.length > 0) throw new SettingsError(problems);
}
