import { createSecureContext } from 'node:tls';
import { Pool, type Dispatcher } from 'undici';
import { ApiUnreachableError, apiErrorFrom } from './api-error';
import type { KubeConnection } from './connection';

export type QueryValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** One request to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path from /api or /apis. */
  readonly path: string;
  readonly query?: QueryValues;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` unless it is a patch. */
  readonly contentType?: string;
  /** Time limit; that of the client when it is not given. */
  readonly timeoutMs?: number;
  /** Aborting it ends the request, whose outcome is then unknown. */
  readonly signal?: AbortSignal;
  /** Goes over the connections set apart for it, so that a crowd of other requests does not delay it. */
  readonly urgent?: boolean;
}

/** How a client uses its connections. */
export interface KubeApiOptions {
  readonly timeoutMs: number;
  /** Most requests in flight at once that are not urgent. */
  readonly connections: number;
  readonly userAgent: string;
}

/**
 * A client of the API server over kept-alive connections. It speaks plain JSON: the calls of
 * `@kubernetes/client-node` cost several times the request they make.
 */
export class KubeApi {
  readonly #pool: Pool;
  readonly #urgentPool: Pool;

  constructor(
    readonly connection: KubeConnection,
    readonly options: KubeApiOptions,
  ) {
    // One context for all connections: otherwise each reads the certificates anew.
    const { servername, rejectUnauthorized, ...certificates } = connection.tls;
    const tls = {
      secureContext: createSecureContext(certificates),
      ...(servername !== undefined && { servername }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    };
    const pool = (connections: number | null): Pool =>
      new Pool(connection.origin, {
        connections,
        pipelining: 1,
        keepAliveTimeout: 60_000,
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { ...tls, timeout: options.timeoutMs },
      });
    this.#pool = pool(options.connections);
    this.#urgentPool = pool(null);
  }

  /**
   * Sends a request and parses its answer.
   * @throws ApiError when the server refuses; ApiUnreachableError when there is no answer in time.
   */
  async request<T = unknown>(request: ApiRequest): Promise<T> {
    // Not AbortSignal.any: on a signal as long-lived as a caller's may be it gathers what it never lets go.
    const ending = new AbortController();
    const abort = (): void => ending.abort();
    const timer = setTimeout(abort, request.timeoutMs ?? this.options.timeoutMs);
    if (request.signal?.aborted) abort();
    request.signal?.addEventListener('abort', abort, { once: true });
    const { response, text } = await this.#unreachableAsError(request, async () => {
      const answer = await this.#send(request, ending.signal);
      return { response: answer, text: await answer.body.text() };
    }).finally(() => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', abort);
    });
    if (response.statusCode >= 400) throw refusal(response, text);
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new ApiUnreachableError(`${request.method} ${request.path}: not JSON`, {
        cause: error,
      });
    }
  }

  /**
   * Follows an answer of one JSON object a line, as a watch is, until it ends or the signal aborts.
   * @throws as request does.
   */
  async *lines(request: ApiRequest & { readonly signal: AbortSignal }): AsyncGenerator<string> {
    const response = await this.#unreachableAsError(request, () =>
      this.#send({ ...request, urgent: true }, request.signal),
    );
    if (response.statusCode >= 400) throw refusal(response, await response.body.text());
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        rest += decoder.decode(chunk, { stream: true });
        let from = 0;
        for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
          if (end > from) yield rest.slice(from, end);
          from = end + 1;
        }
        if (from > 0) rest = rest.slice(from);
      }
    } catch (error) {
      throw new ApiUnreachableError(`watch ${request.path} broke: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Ends every connection; what is in flight fails. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#urgentPool.destroy()]);
  }

  async #send(request: ApiRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const headers: Record<string, string> = {
      ...(await this.connection.headers()),
      accept: 'application/json',
      'user-agent': this.options.userAgent,
    };
    if (request.body !== undefined) {
      headers['content-type'] = request.contentType ?? 'application/json';
    }
    const pool = request.urgent ? this.#urgentPool : this.#pool;
    return pool.request({
      method: request.method,
      path: this.connection.prefix + request.path + queryText(request.query),
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal,
    });
  }

  async #unreachableAsError<T>(request: ApiRequest, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw new ApiUnreachableError(`${request.method} ${request.path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

const refusal = (response: Dispatcher.ResponseData, text: string): Error => {
  const retryAfter = response.headers['retry-after'];
  return apiErrorFrom(
    response.statusCode,
    text,
    typeof retryAfter === 'string' ? retryAfter : undefined,
  );
};

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error);

function queryText(query: QueryValues | undefined): string {
  if (query === undefined) return '';
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
