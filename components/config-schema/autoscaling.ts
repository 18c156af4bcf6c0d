import { z } from 'zod';
import { serverTls } from './tls';
import { absolutePath, block, logLevel, nodeName, range, wholeRange } from './values';

/** A file in a folder below the root, since a volume is mounted there. */
const logFile = z
  .string()
  .regex(
    /^(?!.*\/\.\.?(\/|$))(\/[^/\s:]+){2,}$/,
    'must be the absolute path of a file in a folder other than /, or empty',
  );

/** The autoscaler of a Docker cluster. */
export const autoscalingSchema = block({
  enabled: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  minNodes: wholeRange(0, 1000).default(2),
  maxNodes: wholeRange(1, 1000).default(6),
  permanentWorkers: z.array(nodeName).default(['k3s-worker-1', 'k3s-worker-2']),
  checkIntervalSeconds: range(0.1, 3600).default(5),
  pendingPods: wholeRange(1, 100_000).default(1),
  cpuThresholdRatio: range(0.01, 1).default(0.8),
  memoryThresholdRatio: range(0.01, 1).default(0.8),
  cpuScaleDownRatio: range(0, 1).default(0.3),
  memoryScaleDownRatio: range(0, 1).default(0.3),
  scaleUpCooldownSeconds: wholeRange(0, 86_400).default(60),
  scaleDownCooldownSeconds: wholeRange(0, 86_400).default(120),
  maxScaleUp: wholeRange(1, 100).default(3),
  maxScaleDown: wholeRange(1, 100).default(1),
  evictBarePods: z.boolean().default(false),
  worker: block({
    cpus: range(0.1, 256).default(1),
    memoryMb: wholeRange(256, 1_048_576).default(2048),
  }),
  testWorkloads: z.boolean().default(false),
  dockerSocket: absolutePath.default('/var/run/docker.sock'),
  tls: serverTls('autoscaler'),
  logLevel,
  logFormat: z.enum(['json', 'pretty'], { error: 'must be json or pretty' }).default('json'),
  /** In a folder of its own, which is made for it; empty: none. */
  logFile: z.literal('').or(logFile).default(''),
}).superRefine((settings, ctx) => {
  const wrong = (field: keyof typeof settings, message: string) =>
    ctx.addIssue({ code: 'custom', path: [field], message });
  const { minNodes, maxNodes, permanentWorkers } = settings;
  if (minNodes > maxNodes) wrong('minNodes', `must not be above maxNodes (${maxNodes})`);
  if (permanentWorkers.length > maxNodes)
    wrong('permanentWorkers', `must not name more workers than maxNodes (${maxNodes})`);
  if (settings.cpuScaleDownRatio >= settings.cpuThresholdRatio)
    wrong('cpuScaleDownRatio', `must be below cpuThresholdRatio (${settings.cpuThresholdRatio})`);
  if (settings.memoryScaleDownRatio >= settings.memoryThresholdRatio)
    wrong(
      'memoryScaleDownRatio',
      `must be below memoryThresholdRatio (${settings.memoryThresholdRatio})`,
    );
});

export type AutoscalingConfig = z.infer<typeof autoscalingSchema>;
