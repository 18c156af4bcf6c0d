import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';

/** The API version of Docker 20.10, the oldest engine that the lab meets. */
const VERSION = 'v1.41';

/** An answer of the Docker engine that is not a success. */
export class EngineError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface EngineCall {
  /** Query parameters; `undefined` ones are left out. */
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON, or as it is when it is a buffer (a tar archive). */
  body?: unknown;
  signal: AbortSignal;
}

/** A connection to one Docker engine, by its host URL: `unix:///run/docker.sock` or `tcp://address:port`. */
export class EngineApi {
  private readonly place: { socketPath: string } | { host: string; port: number };

  /** @throws Error when the URL is of a kind that the lab does not implement (ssh, npipe, TLS). */
  constructor(readonly host: string) {
    const url = new URL(host);
    if (url.protocol === 'unix:') {
      this.place = { socketPath: url.pathname };
    } else if (url.protocol === 'tcp:' || url.protocol === 'http:') {
      this.place = { host: url.hostname, port: Number(url.port || 2375) };
    } else {
      throw new Error(`host ${host}: the lab implements unix:// and tcp:// only`);
    }
  }

  /** The decoded answer. @throws EngineError when the engine refuses, Error when it does not answer. */
  async json<T>(method: string, path: string, call: EngineCall): Promise<T> {
    const body = await this.raw(method, path, call);
    return (body.length === 0 ? undefined : JSON.parse(body.toString())) as T;
  }

  /** The answer's bytes. */
  async raw(method: string, path: string, call: EngineCall): Promise<Buffer> {
    return buffer(await this.send(method, path, call));
  }

  /** Each line of an answer that is a stream of JSON values, as it comes. */
  async lines<T>(
    method: string,
    path: string,
    call: EngineCall,
    onLine: (line: T) => void,
  ): Promise<void> {
    const response = await this.send(method, path, call);
    for await (const line of createInterface({ input: response })) {
      if (line !== '') onLine(JSON.parse(line) as T);
    }
  }

  private async send(method: string, path: string, call: EngineCall): Promise<IncomingMessage> {
    const query = Object.entries(call.query ?? {}).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, String(value)] as [string, string]],
    );
    const isTar = Buffer.isBuffer(call.body);
    const body = call.body === undefined || isTar ? call.body : JSON.stringify(call.body);
    const headers =
      call.body === undefined
        ? {}
        : { 'Content-Type': isTar ? 'application/x-tar' : 'application/json' };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(
        {
          ...this.place,
          method,
          path: `/${VERSION}${path}?${new URLSearchParams(query).toString()}`,
          headers,
          signal: call.signal,
        },
        resolve,
      );
      outgoing.on('error', (error) => reject(this.unreachable(error)));
      outgoing.end(body as string | Buffer | undefined);
    });
    const status = response.statusCode ?? 0;
    // 304: the container is started or stopped already.
    if (status < 300 || status === 304) return response;
    throw new EngineError(status, messageOf(await buffer(response), status));
  }

  private unreachable(error: Error): Error {
    if (error.name === 'AbortError') return new Error('cancelled');
    return new Error(`no Docker engine answers at ${this.host}: ${error.message}`);
  }
}

function messageOf(body: Buffer, status: number): string {
  try {
    return (JSON.parse(body.toString()) as { message: string }).message;
  } catch {
    return `the Docker engine answered ${status}: ${body.toString().slice(0, 500)}`;
  }
}

/** Whether an error says that what was asked for does not exist. */
export const isNotFound = (error: unknown): boolean =>
  error instanceof EngineError && error.status === 404;

/** The result of `run`, or nothing when the thing does not exist. */
export async function unlessGone<T>(run: Promise<T>): Promise<T | undefined> {
  try {
    return await run;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
