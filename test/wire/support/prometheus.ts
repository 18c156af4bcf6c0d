import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { cacheDir, cached, contentKey } from '../../lab/cache';
import { downloadPackages, unpackPackages } from '../../lab/debian';
import { freePorts, Processes } from './processes';

const PACKAGES = ['prometheus'];
const MEMORY_BYTES = 8 * 1024 ** 3;

/** The path of Prometheus, unpacked from Debian's package into the lab's cache; nothing is installed. */
export async function ensurePrometheus(): Promise<string> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const target = path.join(cacheDir(), 'host', `prometheus-${contentKey(arch, ...PACKAGES)}`);
  await cached(target, async (temporary) => {
    await mkdir(temporary, { recursive: true });
    const files = await downloadPackages(arch, PACKAGES, () => undefined);
    const own = files.filter((file) => path.basename(file).startsWith('prometheus_'));
    await unpackPackages(own, temporary);
  });
  return path.join(target, 'usr', 'bin', 'prometheus');
}

/** Stands for the node exporters of several nodes: idle time that grows as busy as the test says, and memory as full. */
export class FakeExporter {
  /** Node (value of the instance label) to its CPU and memory use, 0..1; a node taken out is not scraped any more. */
  readonly ratios = new Map<string, number>();
  /** Memory use of nodes where it is to differ from that of CPU. */
  readonly memoryRatios = new Map<string, number>();
  /** Told of each scrape, before it is answered. */
  onScrape: () => void = () => undefined;
  readonly #idle = new Map<string, number>();
  #lastMs = Date.now();
  readonly #server = createServer((_request, response) => response.end(this.#metrics()));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #metrics(): string {
    this.onScrape();
    const seconds = (Date.now() - this.#lastMs) / 1000;
    this.#lastMs = Date.now();
    const lines = [...this.ratios].map(([instance, ratio]) => {
      const idle = (this.#idle.get(instance) ?? 0) + seconds * (1 - ratio);
      this.#idle.set(instance, idle);
      return `node_cpu_seconds_total{instance="${instance}",cpu="0",mode="idle"} ${idle}`;
    });
    const memory = [...this.ratios].flatMap(([instance, ratio]) => [
      `node_memory_MemTotal_bytes{instance="${instance}"} ${MEMORY_BYTES}`,
      `node_memory_MemAvailable_bytes{instance="${instance}"} ${(1 - (this.memoryRatios.get(instance) ?? ratio)) * MEMORY_BYTES}`,
    ]);
    return `# TYPE node_cpu_seconds_total counter\n${[...lines, ...memory].join('\n')}\n`;
  }
}

/** A real Prometheus of one test. */
export interface PrometheusServer {
  readonly url: string;
  /** Starts it again after `kill`. */
  start(): Promise<void>;
  /** Ends it by SIGKILL; what it has written stays. */
  kill(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** What is scraped: an address, and labels of all its series. */
export interface ScrapeTarget {
  readonly target: string;
  /** `__metrics_path__` among them says the path. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A real Prometheus that scrapes these targets, every second unless told otherwise, keeping their labels. */
export async function startPrometheus(
  target: string | readonly ScrapeTarget[],
  { scrapeIntervalMs = 1000 } = {},
): Promise<PrometheusServer> {
  const targets = typeof target === 'string' ? [{ target }] : target;
  const configs = targets.map(({ target: one, labels = {} }) => ({ targets: [one], labels }));
  const binary = await ensurePrometheus();
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-prometheus-'));
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const config = path.join(folder, 'prometheus.yml');
  let processes = new Processes(folder);
  const start = async (): Promise<void> => {
    processes = new Processes(folder);
    processes.start('prometheus', binary, [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    await processes.until('Prometheus', async () => {
      const response = await fetch(`${url}/-/ready`);
      if (!response.ok) throw new Error(`answered ${response.status}`);
    });
  };
  const kill = async (): Promise<void> => {
    processes.kill('prometheus');
    await processes.stop();
  };
  const stop = async () => {
    await processes.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await writeFile(
      config,
      stringify({
        global: { scrape_interval: `${scrapeIntervalMs}ms` },
        scrape_configs: [{ job_name: 'nodes', honor_labels: true, static_configs: configs }],
      }),
    );
    await start();
    return { url, start, kill, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
