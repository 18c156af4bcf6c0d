import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server that answers when the test says so, and records what it did. */
export class HeldServer {
  /** When each answer was given, in their order, in ms since 1970. */
  readonly answeredAtMs: number[] = [];
  arrivals = 0;
  private readonly held: ServerResponse[] = [];
  private readonly waiting = new Set<() => void>();
  private holding: boolean;

  private constructor(
    private readonly server: Server,
    private readonly answers: readonly string[] | undefined,
  ) {
    this.holding = answers === undefined;
    server.on('request', (_request, response: ServerResponse) => {
      this.arrivals += 1;
      if (this.holding) this.held.push(response);
      else this.answer(response);
      for (const wake of this.waiting) wake();
    });
  }

  /**
   * Holds every request; or, with answers, gives these at once, one after the other: a status, `truncated` (less than
   * the length that was announced), or `reset`.
   */
  static async start(answers?: readonly string[]): Promise<HeldServer> {
    const server = createServer();
    const held = new HeldServer(server, answers);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return held;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Resolves when so many requests have arrived. */
  async arrived(count: number): Promise<void> {
    while (this.arrivals < count)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.waiting.delete(wake);
          resolve();
        };
        this.waiting.add(wake);
      });
  }

  releaseFirst(): void {
    const first = this.held.shift();
    if (first) this.answer(first);
  }

  /** Answers what is held, and whatever comes from now on. Gives when, in ms since 1970. */
  releaseAll(): number {
    const atMs = Date.now();
    this.holding = false;
    for (const response of this.held.splice(0)) this.answer(response);
    return atMs;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private answer(response: ServerResponse): void {
    const answer = this.answers?.[this.answeredAtMs.length] ?? '200';
    this.answeredAtMs.push(Date.now());
    if (answer === 'reset') response.destroy();
    else if (answer === 'truncated') {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    } else response.writeHead(Number(answer)).end('done\n');
  }
}
