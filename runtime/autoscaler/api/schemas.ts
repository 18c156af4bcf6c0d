import { z } from 'zod';

const key = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible characters without spaces');

/** Body of POST /scale. */
export const scaleBody = z
  .strictObject({
    action: z.enum(['scale_up', 'scale_down'], { error: 'must be scale_up or scale_down' }),
    count: z
      .int('must be a whole number from 1 to 100')
      .min(1, 'must be a whole number from 1 to 100')
      .max(100, 'must be a whole number from 1 to 100')
      .default(1),
    reason: z
      .string('must be text')
      .max(500, 'must be at most 500 characters long')
      .default('asked for by hand'),
    key: key.optional().describe('The same as the header Idempotency-Key'),
  })
  .describe('Adds or removes workers, within min_nodes and max_nodes');

/** Header of POST /scale. */
export const idempotencyKey = key
  .optional()
  .describe('A request with a key that was used within a day is answered as the first one was');

/** Body of the other POSTs. */
export const emptyBody = z.strictObject({}).describe('Nothing');

/** Query of GET /history. */
export const historyQuery = z.strictObject({
  limit: z.coerce
    .number('must be a whole number from 1 to 1000')
    .int('must be a whole number from 1 to 1000')
    .min(1, 'must be a whole number from 1 to 1000')
    .max(1000, 'must be a whole number from 1 to 1000')
    .default(100),
  since: z.iso
    .datetime({ offset: true, error: 'must be a time such as 2026-01-31T12:00:00Z' })
    .optional(),
});

/** Query of GET /history/decisions. */
export const decisionsQuery = historyQuery.extend({
  limit: z.coerce
    .number('must be a whole number from 1 to 100')
    .int('must be a whole number from 1 to 100')
    .min(1, 'must be a whole number from 1 to 100')
    .max(100, 'must be a whole number from 1 to 100')
    .default(50),
  before: historyQuery.shape.since.describe('Only earlier ones: the time of the last one got'),
});

/** What a refused request is told. */
export const problem = z
  .object({
    error: z.string(),
    problems: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('Each field that is wrong'),
  })
  .describe('Why the request was refused');

export type ScaleRequest = Omit<z.infer<typeof scaleBody>, 'key'>;
export type HistoryRequest = z.infer<typeof historyQuery>;
export type DecisionsRequest = z.infer<typeof decisionsQuery>;
