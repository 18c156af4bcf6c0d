import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { eventually } from '../wire/support/kube';
import { LatencyTraffic } from '../wire/support/latency-traffic';
import { RunningService } from '../wire/support/running-service';
import { BUSIEST, scoresOf } from './extender-nodes';
import type { PeerReady } from './extender-peer';

/** An extender that listens. */
export interface ExtenderServer {
  readonly url: string;
  /** Processor time that it has used so far, in ms: what else is running changes it less than pods in a second. */
  processorMs(): Promise<number>;
  stop(): Promise<void>;
}

/** The scheduler whose pods the extender follows. */
export const SCHEDULER = 'bench';

const CPU_METRIC = 'process_cpu_seconds_total';

/** A peer as a process of its own. */
export async function startPeer(what: 'plain' | 'empty'): Promise<ExtenderServer> {
  const child = fork(path.join(__dirname, 'extender-peer.ts'), [what], {
    execArgv: ['--require', 'tsx/cjs'],
  });
  const [{ port }] = (await once(child, 'message')) as [PeerReady];
  return {
    url: `http://127.0.0.1:${port}`,
    processorMs: async () => {
      const answer = once(child, 'message');
      child.send('processor time');
      return ((await answer) as [number])[0];
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Probers of so many nodes, each on a port of its own. */
export class ProberFarm {
  private constructor(
    private readonly servers: readonly Server[],
    private readonly traffic: LatencyTraffic,
    private readonly names: readonly string[],
  ) {}

  static async start(names: readonly string[]): Promise<ProberFarm> {
    const servers = await Promise.all(
      names.map(async (name) => {
        const answer = JSON.stringify(scoresOf(name));
        const server = createServer({ keepAliveTimeout: 120_000 }, (_request, response) => {
          response.end(answer);
        });
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        return server;
      }),
    );
    return new ProberFarm(servers, await LatencyTraffic.start(BUSIEST), names);
  }

  /** The extender as it is, as a process of its own, once it knows every node. */
  async startExtender(kubeconfigPath: string): Promise<ExtenderServer> {
    const ports = this.servers.map((server) => (server.address() as AddressInfo).port);
    const service = await RunningService.start('latency-extender', {
      KUBECONFIG: kubeconfigPath,
      SCHEDULER_NAME: SCHEDULER,
      PROM_URL: this.traffic.url,
      PROBERS: this.names.map((name, index) => `${name}=127.0.0.1:${ports[index]}`).join(),
    });
    await eventually('the extender knows every node', async () => {
      const { body } = await service.get('/readyz');
      return body['freshNodes'] === this.names.length && body['target'] === BUSIEST;
    });
    return {
      url: service.url,
      processorMs: async () => ((await service.metric(CPU_METRIC)) ?? NaN) * 1000,
      stop: async () => {
        await service.stop();
      },
    };
  }

  async stop(): Promise<void> {
    await this.traffic.stop();
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}
