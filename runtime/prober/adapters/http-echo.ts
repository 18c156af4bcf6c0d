import { Agent, get } from 'node:http';
import type { EchoClient } from '../ports';
import type { EchoAnswer } from '../types';

/** Tells the peer who asks, so that it can simulate the way between the two. */
export const ASKING_NODE_HEADER = 'x-berth-node';

const IDLE_MS = 90_000;
const MAX_ANSWER_BYTES = 4096;

interface Exchange {
  readonly node: string;
  readonly roundTripMs: number;
  /** Whether the connection had been open before. */
  readonly reused: boolean;
}

/**
 * Measures round trips to `/echo` of other probers over one connection each, which stays open: neither a handshake
 * nor a process is part of what is measured.
 */
export class HttpEcho implements EchoClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: IDLE_MS });

  constructor(
    private readonly ownNode: string,
    private readonly timeoutMs: number,
  ) {}

  async probe(address: string): Promise<EchoAnswer> {
    const first = await this.#exchange(address);
    // The first exchange over a new connection has opened it, and is not counted.
    return first.reused ? first : this.#exchange(address);
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange(address: string): Promise<Exchange> {
    return new Promise((resolve, reject) => {
      const headers = { [ASKING_NODE_HEADER]: this.ownNode };
      const signal = AbortSignal.timeout(this.timeoutMs);
      let sentMs = performance.now();
      const request = get(`http://${address}/echo`, { agent: this.#agent, headers, signal });
      request.once('socket', () => (sentMs = performance.now()));
      request.once('response', (response) => {
        const roundTripMs = performance.now() - sentMs;
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MAX_ANSWER_BYTES) request.destroy(new Error('the answer is too long'));
        });
        response.once('error', (error) => reject(this.#readable(error)));
        response.once('end', () => {
          const node = nodeIn(text);
          if (response.statusCode !== 200 || node === undefined)
            reject(new Error(`HTTP ${response.statusCode}, not the echo of a prober`));
          else resolve({ node, roundTripMs, reused: request.reusedSocket });
        });
      });
      request.once('error', (error) => reject(this.#readable(error)));
    });
  }

  #readable(error: Error): Error {
    return error.name === 'AbortError' || error.name === 'TimeoutError'
      ? new Error(`no answer within ${this.timeoutMs} ms`)
      : error;
  }
}

/** The name of the node in an echo; undefined when it is none. */
function nodeIn(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const node =
      typeof body === 'object' && body !== null && 'node' in body ? body.node : undefined;
    return typeof node === 'string' && node !== '' ? node : undefined;
  } catch {
    return undefined;
  }
}
