import { z } from 'zod';
import { SCHEDULER_SYSTEMS } from '../../runtime/experiment/names';
import { autoscalingSchema } from './autoscaling';
import { experimentSchema } from './experiment';
import { latencySchedulingSchema } from './latency-scheduling';
import { mutualTls } from './tls';
import { block, logLevel, nodeName, range, wholeRange } from './values';

const cpuScheduling = block({
  enabled: z.boolean().default(true),
  replicas: wholeRange(1, 5).default(2),
  cpuQuery: z.string().default(''),
  cpuTimeQuery: z.string().default(''),
  thresholdRatio: range(0.05, 1).default(0.9),
  pollIntervalSeconds: wholeRange(1, 60).default(10),
  readingMaxAgeSeconds: wholeRange(1, 600).default(30),
  firstReadingWaitSeconds: wholeRange(0, 600).default(60),
  offload: block({
    enabled: z.boolean().default(true),
    dryRun: z.boolean().default(false),
    intervalSeconds: wholeRange(5, 3600).default(30),
    minimumAgeSeconds: wholeRange(0, 86_400).default(60),
    maxPerCycle: wholeRange(1, 100).default(2),
  }),
  logLevel,
});

const eventScaling = block({
  enabled: z.boolean().default(false),
  mode: z.enum(['once', 'continuous']).default('continuous'),
  release: z.enum(['keda', 'jobs']).default('keda'),
  thresholdRatio: range(0.05, 1).default(0.7),
  excludeNodes: z.array(nodeName).default([]),
  manageEligible: z.boolean().default(false),
  controllerIntervalSeconds: wholeRange(5, 600).default(30),
  lastGoodMaxAgeSeconds: wholeRange(10, 3600).default(120),
  pollingIntervalSeconds: wholeRange(1, 600).default(10),
  schedulerName: z.enum(['default-scheduler', 'cpu-scheduler']).default('default-scheduler'),
  tls: mutualTls('posture-external-scaler', 'secrets'),
  logLevel,
});

export const systemsSchema = block({
  cpuScheduling,
  eventScaling,
  latencyScheduling: latencySchedulingSchema,
  autoscaling: autoscalingSchema,
  experiment: experimentSchema,
}).superRefine((systems, ctx) => {
  const { cpuScheduling, eventScaling, experiment } = systems;
  if (
    eventScaling.enabled &&
    eventScaling.schedulerName === 'cpu-scheduler' &&
    !cpuScheduling.enabled
  )
    ctx.addIssue({
      code: 'custom',
      path: ['eventScaling', 'schedulerName'],
      message: 'must be default-scheduler when cpuScheduling.enabled is false',
    });
  const needed = SCHEDULER_SYSTEMS[experiment.schedulerName];
  if (experiment.enabled && needed !== undefined && !systems[needed].enabled)
    ctx.addIssue({
      code: 'custom',
      path: ['experiment', 'schedulerName'],
      message: `must not be ${experiment.schedulerName} when ${needed}.enabled is false`,
    });
});

export type SystemsConfig = z.infer<typeof systemsSchema>;
export type CpuSchedulingConfig = SystemsConfig['cpuScheduling'];
export type EventScalingConfig = SystemsConfig['eventScaling'];
