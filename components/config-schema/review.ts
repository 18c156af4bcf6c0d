import { z } from 'zod';
import { block, wholeRange } from './values';

/** Whether dangerous changes are only flagged, or refused without their key; empty is the same as warn. */
export const safetySchema = z
  .enum(['', 'warn', 'strict'])
  .default('')
  .transform((safety) => (safety === 'strict' ? safety : 'warn'));

/**
 * Whether resources that hold data refuse to be deleted or replaced. Only none also lets go what an earlier update, or a
 * person, has protected; empty protects nothing by itself.
 */
export const protectSchema = z.enum(['', 'none', 'datastores']).default('');

/** What one update may take away at once without being a dangerous change. */
export const disruptionBudgetSchema = block({
  nodes: wholeRange(0, 1000).default(1),
  pods: wholeRange(0, 100_000).default(10),
});

/** Name of the stack whose configuration this one's lies over; empty for none. */
export const extendsSchema = z
  .string()
  .regex(/^([A-Za-z0-9_.-]{1,100})?$/, 'must be the name of a stack')
  .default('');

export type SafetyConfig = z.infer<typeof safetySchema>;
export type ProtectConfig = z.infer<typeof protectSchema>;
export type DisruptionBudgetConfig = z.infer<typeof disruptionBudgetSchema>;
