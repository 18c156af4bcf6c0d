import { isIPv6 } from 'node:net';
import { finished } from 'node:stream/promises';
import { Pool } from 'undici';
import type { Target } from '../ports';
import type { LoadOptions, Outcome } from '../types';

type TargetOptions = Pick<
  LoadOptions,
  'ip' | 'port' | 'path' | 'concurrency' | 'timeoutMs' | 'keepAlive'
>;

/** An HTTP server: GET over a new connection for each request, or over kept ones. */
export class HttpTarget implements Target {
  private readonly pool: Pool;

  constructor(private readonly options: TargetOptions) {
    const host = isIPv6(options.ip) ? `[${options.ip}]` : options.ip;
    this.pool = new Pool(`http://${host}:${options.port}`, {
      connections: options.concurrency,
      // 0: the connection is closed after the answer.
      pipelining: options.keepAlive ? 1 : 0,
      // Each request has a time limit of its own, which is exact.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: options.timeoutMs + 1000 },
    });
  }

  async send(cancel: AbortSignal): Promise<Outcome> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.options.timeoutMs);
    const giveUp = (): void => late.abort();
    cancel.addEventListener('abort', giveUp, { once: true });
    if (cancel.aborted) giveUp();
    try {
      const { statusCode, body } = await this.pool.request({
        method: 'GET',
        path: this.options.path,
        signal: late.signal,
      });
      // To its end, without keeping it.
      await finished(body.resume());
      return { kind: 'answered', status: statusCode };
    } catch (error) {
      if (cancel.aborted) return { kind: 'cancelled' };
      if (late.signal.aborted) return { kind: 'timeout' };
      return { kind: 'connection', code: codeOf(error) };
    } finally {
      clearTimeout(timer);
      cancel.removeEventListener('abort', giveUp);
    }
  }

  close(): Promise<void> {
    return this.pool.destroy();
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown';
}
