import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A Prometheus that names one node as the busiest, whatever it is asked. */
export class LatencyTraffic {
  /** Breaks every connection off while it is set. */
  down = false;
  readonly #server: Server;

  private constructor(busiest: string) {
    this.#server = createServer((_request, response) => {
      if (this.down) return void response.destroy();
      const result = [{ metric: { node: busiest }, value: [Date.now() / 1000, '25'] }];
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
  }

  static async start(busiest: string): Promise<LatencyTraffic> {
    const traffic = new LatencyTraffic(busiest);
    await new Promise<void>((resolve) => traffic.#server.listen(0, '127.0.0.1', resolve));
    return traffic;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
