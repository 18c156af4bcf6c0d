import { z } from 'zod';
import type { Demand, Mode } from '../types';

/** What holds where the metadata says nothing. */
export interface MetadataDefaults {
  readonly metricName: string;
  readonly cpuThreshold: number;
  readonly mode: Mode;
}

/** What a trigger's metadata come to. */
export interface TriggerOptions {
  readonly metricName: string;
  readonly demand: Demand;
}

/** Trigger metadata that cannot be used; the message names every bad key, what it was, and what is allowed. */
export class MetadataError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`trigger metadata: ${problems.join('; ')}`);
    this.name = 'MetadataError';
  }
}

const THRESHOLD = 'must be a number from 0.05 to 1';
const SLOT = 'must be a whole number from 1 to 10';
const METRIC_NAME = 'must be 1 to 200 letters, digits, _ . : or -';

/** Numbers as people write them: neither an empty text nor 0x1f. */
const decimal = (text: string): number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN);

const known = {
  metricName: z.string().regex(/^[A-Za-z0-9_.:-]{1,200}$/, METRIC_NAME),
  threshold: z
    .string()
    .transform(decimal)
    .refine((value) => value >= 0.05 && value <= 1, THRESHOLD),
  slot: z
    .string()
    .transform(decimal)
    .refine((value) => Number.isInteger(value) && value >= 1 && value <= 10, SLOT),
  mode: z.enum(['continuous', 'once'], { error: 'must be continuous or once' }),
};
const schema = z.object(known).partial();
const OWN_KEYS = Object.keys(known);

/** Keys that KEDA itself reads and passes on. */
const KEDA_KEYS = new Set(['scalerAddress', 'enableTLS', 'unsafeSsl']);

/**
 * Reads the metadata of a trigger, in which all values are text.
 * @throws MetadataError for a value out of range, and for a key that nobody knows, since a slip of the pen in
 * `threshold` would otherwise go unnoticed.
 */
export function parseMetadata(
  metadata: Readonly<Record<string, string>>,
  defaults: MetadataDefaults,
): TriggerOptions {
  const problems: string[] = [];
  const own: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata)) {
    if (Object.hasOwn(known, key)) own[key] = value;
    else if (!KEDA_KEYS.has(key)) problems.push(`${key}: no such key, use ${OWN_KEYS.join(', ')}`);
  }
  const parsed = schema.safeParse(own);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const key = String(path[0]);
      problems.push(`${key} ${JSON.stringify(own[key])}: ${message}`);
    }
  }
  if (!parsed.success || problems.length > 0) throw new MetadataError(problems);
  const { metricName, threshold, slot, mode } = parsed.data;
  return {
    metricName: metricName ?? defaults.metricName,
    demand: {
      thresholdRatio: threshold ?? defaults.cpuThreshold,
      slot: slot ?? null,
      mode: mode ?? defaults.mode,
    },
  };
}
