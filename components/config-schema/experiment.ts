import { z } from 'zod';
import { SCHEDULER_NAMES } from '../../runtime/experiment/names';
import { block, cpuQuantity, logLevel, wholeRange } from './values';

/** Two workloads to place, which autoscalers grow and shrink. */
export const experimentSchema = block({
  enabled: z.boolean().default(false),
  schedulerName: z
    .enum(SCHEDULER_NAMES, { error: `must be one of ${SCHEDULER_NAMES.join(', ')}` })
    .default('default-scheduler'),
  cpuRequest: cpuQuantity.default('100m'),
  minReplicas: wholeRange(1, 100).default(1),
  maxReplicas: wholeRange(1, 1000).default(10),
  targetCpuPercent: wholeRange(1, 1000).default(50),
  scaleDownStabilizationSeconds: wholeRange(0, 3600).default(60),
  maxTotalBloatMb: wholeRange(0, 65_536).default(128),
  serviceType: z
    .enum(['ClusterIP', 'NodePort', 'LoadBalancer'], {
      error: 'must be ClusterIP, NodePort or LoadBalancer',
    })
    .default('ClusterIP'),
  logLevel,
}).superRefine(({ minReplicas, maxReplicas }, ctx) => {
  if (minReplicas > maxReplicas)
    ctx.addIssue({
      code: 'custom',
      path: ['minReplicas'],
      message: `must not be above maxReplicas (${maxReplicas})`,
    });
});

export type ExperimentConfig = z.infer<typeof experimentSchema>;
