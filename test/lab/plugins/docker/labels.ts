import { z } from 'zod';

/** Labels as the provider writes them: a set of pairs. */
export const labelsSchema = z.array(z.strictObject({ label: z.string(), value: z.string() }));

export type Labels = z.infer<typeof labelsSchema>;

/** Labels as the engine writes them. */
export function labelMap(labels: Labels | undefined): Record<string, string> {
  return Object.fromEntries((labels ?? []).map(({ label, value }) => [label, value]));
}
