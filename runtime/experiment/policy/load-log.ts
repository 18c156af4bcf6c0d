import { z } from 'zod';
import { ExperimentError } from '../experiment-error';

const requestSchema = z.object({
  index: z.int().min(0),
  intendedAtMs: z.number(),
  latencyMs: z.number().min(0),
  outcome: z.string(),
});
const summarySchema = z.object({
  total: z.int().min(0),
  successful: z.int().min(0),
  failed: z.int().min(0),
  dropped: z.int().min(0),
  cancelled: z.int().min(0),
  failures: z.record(z.string(), z.int()),
});

/** A request as the load generator wrote it, whole. */
export type LoadRequest = z.infer<typeof requestSchema>;
export type LoadSummary = z.infer<typeof summarySchema>;

/** What a load came to. */
export interface LoadResult {
  readonly requests: readonly LoadRequest[];
  readonly summary: LoadSummary;
}

/** Reads the log of a load generator, whose lines may come again after the connection broke. */
export class LoadLog {
  readonly #requests = new Map<number, LoadRequest>();
  readonly #said: string[] = [];
  #summary: LoadSummary | undefined;

  add(line: string): void {
    const value = parsed(line);
    const request = requestSchema.safeParse(value);
    const summary = summarySchema.safeParse(value);
    if (request.success) this.#requests.set(request.data.index, request.data);
    else if (summary.success) this.#summary = summary.data;
    else if (line.trim() !== '') this.#said.push(line);
  }

  /** How many requests have ended. */
  get ended(): number {
    return this.#requests.size;
  }

  /** Whether the statistics have come, which are last. */
  get complete(): boolean {
    return this.#summary !== undefined;
  }

  /** The last lines that are neither a request nor the statistics, such as an error's. */
  get lastWords(): string {
    return this.#said.slice(-3).join('; ');
  }

  /** @throws ExperimentError when the log ended before the load, or lines of it are missing. */
  result(): LoadResult {
    const summary = this.#summary;
    if (summary === undefined)
      throw new ExperimentError(
        `the load generator ended without statistics: ${this.lastWords || 'no log'}`,
      );
    const sent = summary.successful + summary.failed;
    const requests = [...this.#requests.values()].filter(({ outcome }) => outcome !== 'cancelled');
    if (requests.length !== sent)
      throw new ExperimentError(
        `the load generator sent ${sent} requests, and its log has ${requests.length}`,
      );
    return { requests: requests.sort((a, b) => a.index - b.index), summary };
  }
}

function parsed(line: string): unknown {
  try {
    return line.startsWith('{') ? JSON.parse(line) : undefined;
  } catch {
    return undefined; // Cut off where the connection broke.
  }
}
