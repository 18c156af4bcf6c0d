import { errors, Pool } from 'undici';
import { z } from 'zod';

/** Why Prometheus gave no answer that can be used. */
export type PrometheusFailure = 'unreachable' | 'timeout' | 'http' | 'query' | 'garbage';

/** A query that failed; `kind` says how. */
export class PrometheusError extends Error {
  constructor(
    readonly kind: PrometheusFailure,
    message: string,
  ) {
    super(message);
    this.name = 'PrometheusError';
  }
}

/** One series of an instant vector. */
export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>;
  /** May be NaN or infinite, as Prometheus may answer that. */
  readonly value: number;
  /** When Prometheus evaluated the query, by its own clock, in milliseconds since 1970. */
  readonly evaluatedAtMs: number;
}

const vectorSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});
const errorSchema = z.object({ status: z.literal('error'), error: z.string() });

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Asks a Prometheus server instant queries over kept-alive connections. */
export class PrometheusClient {
  readonly #pool: Pool;
  readonly #path: string;

  /** @param url base URL; a path before /api/v1 is kept. @param timeoutMs time limit of one query. */
  constructor(
    url: string,
    readonly timeoutMs: number,
  ) {
    const base = new URL(url);
    this.#pool = new Pool(base.origin, { connections: 2, connect: { timeout: timeoutMs } });
    this.#path = `${base.pathname.replace(/\/+$/, '')}/api/v1/query`;
  }

  /**
   * The samples of an instant query now; none when no series matches.
   * @throws PrometheusError for everything else.
   */
  async query(promql: string): Promise<PrometheusSample[]> {
    const { status, text } = await this.#send(promql);
    const body = parseJson(text);
    const failure = errorSchema.safeParse(body);
    if (failure.success) throw new PrometheusError('query', failure.data.error);
    if (status !== 200) throw new PrometheusError('http', `HTTP ${status}: ${text.slice(0, 200)}`);
    const parsed = vectorSchema.safeParse(body);
    if (!parsed.success) {
      throw new PrometheusError('garbage', `not an instant vector: ${text.slice(0, 200)}`);
    }
    return parsed.data.data.result.map(({ metric, value: [seconds, value] }) => ({
      labels: metric,
      value: toNumber(value),
      evaluatedAtMs: seconds * 1000,
    }));
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #send(promql: string): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(this.timeoutMs);
    try {
      const response = await this.#pool.request({
        method: 'POST',
        path: this.#path,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ query: promql }).toString(),
        signal,
      });
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) throw new PrometheusError('garbage', 'answer over 64 MiB');
        chunks.push(chunk);
      }
      return { status: response.statusCode, text: Buffer.concat(chunks).toString('utf8') };
    } catch (error) {
      if (error instanceof PrometheusError) throw error;
      if (signal.aborted || error instanceof errors.ConnectTimeoutError) {
        throw new PrometheusError('timeout', `no answer within ${this.timeoutMs} ms`);
      }
      if (error instanceof errors.HTTPParserError) {
        throw new PrometheusError('garbage', 'not an HTTP answer');
      }
      throw new PrometheusError(
        'unreachable',
        error instanceof Error ? `${error.message || error.name}` : String(error),
      );
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toNumber(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return text === '' ? NaN : Number(text);
}
