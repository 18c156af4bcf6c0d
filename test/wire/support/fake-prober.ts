import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ProberScores } from '../../../runtime/shared/prober-scores';

/** A prober that says what the test wants; for readings on demand, and for failures. */
export class FakeProber {
  cpuRatio: number | null = 0.2;
  /** Round trips in milliseconds, by node; the full scale is 100 ms. */
  latenciesMs: Readonly<Record<string, number>> = {};
  /** Takes questions and never answers while it is set. */
  silent = false;
  readonly #server: Server;

  private constructor(readonly node: string) {
    this.#server = createServer((_request, response) => {
      if (!this.silent) response.end(JSON.stringify(this.#scores()));
    });
  }

  static async start(node: string): Promise<FakeProber> {
    const fake = new FakeProber(node);
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #scores(): ProberScores {
    const peers = Object.entries(this.latenciesMs).map(([peer, latencyMs]) => {
      const latencyRatio = Math.min(1, latencyMs / 100);
      return [peer, { latencyMs, latencyRatio, ageMs: 0, samples: 10 }] as const;
    });
    const [, first] = peers[0] ?? [];
    return {
      node: this.node,
      cpu:
        this.cpuRatio === null
          ? null
          : { cpuRatio: this.cpuRatio, ageMs: 0, cores: 4, source: 'proc' },
      fullScaleMs: 100,
      median: first ?? null,
      peers: Object.fromEntries(peers),
      unknownPeers: {},
      simulated: false,
    };
  }
}
