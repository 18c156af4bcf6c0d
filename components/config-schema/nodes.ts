import { z } from 'zod';
import { dnsLabel, labelKey, labelValue, range, wholeRange } from './values';

/** A taint as a node is given it. */
export const taint = z.strictObject({
  key: labelKey,
  value: labelValue.default(''),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});

const node = z.strictObject({
  name: dnsLabel,
  slot: wholeRange(1, 10).optional(),
  eligible: z.boolean().default(true),
  labels: z.record(labelKey, labelValue).default({}),
  taints: z.array(taint).default([]),
  cpus: range(0.1, 256).optional(),
  memoryMb: wholeRange(256, 1_048_576).optional(),
});

export const nodesSchema = z.array(node).default([]);

export type NodeConfig = z.infer<typeof node>;
