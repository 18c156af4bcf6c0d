import { z } from 'zod';
import { httpSettings, logSettings } from '../shared/service-settings';
import {
  defineSettings,
  integerSetting,
  numberSetting,
  stringSetting,
  type SettingsOf,
} from '../shared/settings';
import { parseSimulatedLatencies } from './policy/simulation';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Every setting of the prober; the components generate the container's environment from it. */
export const proberSettings = defineSettings({
  nodeName: {
    env: 'NODE_NAME',
    description: 'Name of the node it runs on (spec.nodeName)',
    schema: stringSetting(),
  },
  podIp: {
    env: 'POD_IP',
    description:
      'Own address (status.podIP), so that it leaves itself out; empty where that is not known',
    schema: stringSetting(''),
  },
  cpuSource: {
    env: 'CPU_SOURCE',
    description:
      'cgroup: use of the control group at CGROUP_PATH against its CPU limit; proc: the whole machine by ' +
      '/proc/stat; auto: cgroup where that group has a limit, else proc',
    schema: z
      .enum(['auto', 'cgroup', 'proc'], { error: 'must be auto, cgroup or proc' })
      .default('auto'),
  },
  cgroupRoot: {
    env: 'CGROUP_ROOT',
    description: "Where the node's /sys/fs/cgroup is mounted",
    schema: stringSetting('/sys/fs/cgroup'),
  },
  cgroupPath: {
    env: 'CGROUP_PATH',
    description:
      "Control group of the node below CGROUP_ROOT; auto: what is before /kubepods in the prober's own",
    schema: stringSetting('auto'),
  },
  procRoot: {
    env: 'PROC_ROOT',
    description: 'Where /proc is',
    schema: stringSetting('/proc'),
  },
  cpuIntervalMs: {
    env: 'CPU_INTERVAL_MS',
    description: 'Time between two looks at the CPU',
    unit: 'ms',
    schema: integerSetting(100, MINUTE, 2 * SECOND),
  },
  cpuHalfLifeMs: {
    env: 'CPU_HALF_LIFE_MS',
    description: 'A CPU reading loses half of its weight in this time',
    unit: 'ms',
    schema: integerSetting(1, 10 * MINUTE, 10 * SECOND),
  },
  peers: {
    env: 'PEERS',
    description: 'The probers as host:port,host:port; empty: PEERS_DNS is asked',
    schema: stringSetting(''),
  },
  peersDns: {
    env: 'PEERS_DNS',
    description: 'Name of the headless service of the probers',
    schema: stringSetting('prober-peers.berth-system.svc'),
  },
  peersPort: {
    env: 'PEERS_PORT',
    description: 'Port of the probers that PEERS_DNS names',
    schema: integerSetting(1, 65_535, 3000),
  },
  peersIntervalMs: {
    env: 'PEERS_INTERVAL_MS',
    description: 'Time between two looks at the list of peers',
    unit: 'ms',
    schema: integerSetting(100, 10 * MINUTE, 10 * SECOND),
  },
  probeIntervalMs: {
    env: 'PROBE_INTERVAL_MS',
    description: 'Time between two rounds of probes',
    unit: 'ms',
    schema: integerSetting(100, 10 * MINUTE, 5 * SECOND),
  },
  probeTimeoutMs: {
    env: 'PROBE_TIMEOUT_MS',
    description: 'A peer that does not answer a probe within this time is silent',
    unit: 'ms',
    schema: integerSetting(10, MINUTE, SECOND),
  },
  probesPerRound: {
    env: 'PROBES_PER_ROUND',
    description: 'Probes of one peer in a round, one after another; the fastest counts',
    schema: integerSetting(1, 20, 3),
  },
  landmarks: {
    env: 'LANDMARKS',
    description: 'Peers measured to in a round, however many there are',
    schema: integerSetting(1, 1000, 8),
  },
  landmarkCycleMs: {
    env: 'LANDMARK_CYCLE_MS',
    description: 'The next peers become landmarks after this time',
    unit: 'ms',
    schema: integerSetting(100, 60 * MINUTE, MINUTE),
  },
  focusTtlMs: {
    env: 'FOCUS_TTL_MS',
    description: 'A peer that /scores?focus=host:port asks for is measured to for this long',
    unit: 'ms',
    schema: integerSetting(100, 60 * MINUTE, MINUTE),
  },
  latencyHalfLifeMs: {
    env: 'LATENCY_HALF_LIFE_MS',
    description: 'A measured latency loses half of its weight in this time',
    unit: 'ms',
    schema: integerSetting(1, 10 * MINUTE, 15 * SECOND),
  },
  latencyFullScaleMs: {
    env: 'LATENCY_FULL_SCALE_MS',
    description: 'The round trip that is a latency ratio of 1',
    unit: 'ms',
    schema: numberSetting(0.001, MINUTE, 100),
  },
  readingMaxAgeMs: {
    env: 'READING_MAX_AGE_MS',
    description: 'What was last measured longer ago is unknown',
    unit: 'ms',
    schema: integerSetting(100, 10 * MINUTE, 30 * SECOND),
  },
  simulatedLatenciesMs: {
    env: 'SIMULATED_LATENCIES_MS',
    description:
      'For labs: delays that the echo adds, as NODE/NODE=MILLISECONDS,NODE/*=MILLISECONDS; empty: none',
    unit: 'ms',
    schema: z
      .string()
      .default('')
      .superRefine((text, context) => {
        try {
          parseSimulatedLatencies(text);
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as Error).message });
        }
      }),
  },
  ...httpSettings(3000, '/scores, /echo, /healthz, /readyz and /metrics'),
  ...logSettings,
});

export type ProberSettings = SettingsOf<typeof proberSettings>;
