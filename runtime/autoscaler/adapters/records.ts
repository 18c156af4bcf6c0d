import { z } from 'zod';
import {
  DOWN_STEPS,
  UP_STEPS,
  type Operation,
  type ScalingEvent,
  type WorkerRecord,
} from '../types';

/** The shapes of what is stored, which other versions and people may have written. */

export const workerSchema: z.ZodType<WorkerRecord> = z.object({
  name: z.string(),
  number: z.int(),
  permanent: z.boolean(),
  status: z.enum(['ready', 'not-ready', 'draining']),
  createdAtMs: z.number(),
});

export const eventSchema: z.ZodType<ScalingEvent> = z.object({
  id: z.string(),
  kind: z.enum(['scale_up', 'scale_down', 'reconciliation']),
  outcome: z.enum(['done', 'undone', 'failed']),
  worker: z.string(),
  reason: z.string(),
  atMs: z.number(),
});

const common = {
  id: z.string(),
  worker: z.string(),
  number: z.int(),
  reason: z.string(),
  startedAtMs: z.number(),
  undoing: z.string().exactOptional(),
};

export const operationSchema: z.ZodType<Operation> = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('up'), step: z.enum(UP_STEPS) }),
  z.object({
    ...common,
    kind: z.literal('down'),
    step: z.enum(DOWN_STEPS),
    stepAtMs: z.number(),
    wasCordoned: z.boolean(),
  }),
]);
