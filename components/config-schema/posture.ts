import { z } from 'zod';
import { absolutePath, block, cpuQuantity, labelValue, range, wholeRange } from './values';

export const postureSchema = block({
  maxImages: wholeRange(1, 1_000_000).default(12),
  idleTimeoutSeconds: wholeRange(1, 86_400).default(120),
  workers: wholeRange(1, 16).default(1),
  cpuRequest: cpuQuantity.default('100m'),
  memoryRequest: z
    .string()
    .regex(/^\d+(Ki|Mi|Gi)$/, 'must be a memory quantity such as 256Mi')
    .default('256Mi'),
  devices: z.array(labelValue).default([]),
  preferSlots: z.boolean().default(true),
  feederRatePerSecond: range(0.01, 1000).default(2),
  outputDirectory: absolutePath.default('/var/lib/posture/analyzed_images'),
  database: block({
    enabled: z.boolean().default(false),
    host: z.string().default(''),
    port: wholeRange(1, 65_535).default(5432),
    name: z.string().min(1).default('posture'),
    user: z.string().min(1).default('posture'),
  }),
}).superRefine(({ database }, ctx) => {
  if (database.enabled && database.host === '')
    ctx.addIssue({
      code: 'custom',
      path: ['database', 'host'],
      message: 'must be the host of PostgreSQL when database.enabled is true',
    });
});

export type PostureConfig = z.infer<typeof postureSchema>;
