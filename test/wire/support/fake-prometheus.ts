import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the server answers. */
export type Mode = 'ratios' | 'garbage' | 'nothing' | 'error 500' | 'silence' | 'empty';

/** Answers the scheduler's query with whatever the test says; for values on demand, and for failures. */
export class FakePrometheus {
  readonly ratios = new Map<string, number>();
  mode: Mode = 'ratios';
  /** How old the samples say they are, in milliseconds. */
  ageMs = 0;
  queries = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_request, response) => {
      this.queries += 1;
      if (this.mode === 'silence') return;
      if (this.mode === 'error 500') response.statusCode = 500;
      response.end(this.#body());
    });
  }

  static async start(): Promise<FakePrometheus> {
    const fake = new FakePrometheus();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #body(): string {
    if (this.mode === 'garbage') return '<html>it works</html>';
    if (this.mode === 'nothing') return '';
    if (this.mode === 'error 500') return 'internal error';
    const now = Date.now() / 1000;
    const series = (kind: string, node: string, value: number) => ({
      metric: { node, berth_reading: kind },
      value: [now, String(value)],
    });
    const ratios = this.mode === 'empty' ? [] : [...this.ratios];
    const result = ratios.flatMap(([node, ratio]) =>
      ['', 'cpu-', 'memory-'].flatMap((prefix) => [
        series(`${prefix}ratio`, node, ratio),
        series(`${prefix}time`, node, now - this.ageMs / 1000),
      ]),
    );
    return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
  }
}
