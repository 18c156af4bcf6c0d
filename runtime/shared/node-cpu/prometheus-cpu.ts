import type { Clock } from '../clock';
import type { PrometheusClient, PrometheusSample } from '../prometheus';
import { mapInstances, type InstanceReading } from './map-instances';
import type { AddressedNode, CpuMetrics, CpuSnapshot } from './types';

const KIND = 'berth_reading';

/** Ratios of rates pass 1 by a little when scrapes are late; by more than this they are something else. */
const MAX_RATIO = 1.5;

/**
 * Reads the CPU of all nodes with one query: the ratios, and when they were scraped, as two sets of series told apart
 * by a label. A result carries only the time at which it was evaluated, which says nothing about how old the samples
 * behind it are: a rate goes on answering from what a dead exporter left. So a ratio without a time is no reading.
 */
export class PrometheusCpu implements CpuMetrics {
  readonly #query: string;

  constructor(
    private readonly client: PrometheusClient,
    private readonly clock: Clock,
    ratioQuery: string,
    timeQuery: string,
  ) {
    const as = (kind: string, query: string): string =>
      `label_replace((${query}), "${KIND}", "${kind}", "${KIND}", "")`;
    this.#query = `${as('ratio', ratioQuery)} or ${as('time', timeQuery)}`;
  }

  async read(nodes: Iterable<AddressedNode>): Promise<CpuSnapshot> {
    const askedMs = this.clock.nowMs();
    const samples = await this.client.query(this.#query);
    const times = new Map<string, number>();
    for (const sample of samples) {
      if (sample.labels[KIND] === 'time') times.set(identityOf(sample), sample.value * 1000);
    }
    const readings: InstanceReading[] = [];
    const invalid: string[] = [];
    for (const sample of samples) {
      if (sample.labels[KIND] !== 'ratio') continue;
      const takenAtMs = times.get(identityOf(sample));
      const { value, evaluatedAtMs } = sample;
      if (takenAtMs === undefined || !(value >= -0.5 && value <= MAX_RATIO)) {
        invalid.push(`${identityOf(sample)} = ${value}`);
        continue;
      }
      // Both times are Prometheus's: its clock may differ from ours, so only the age is taken over.
      const ageMs = Math.max(0, evaluatedAtMs - takenAtMs);
      readings.push({
        node: sample.labels['node'] ?? '',
        instance: sample.labels['instance'] ?? '',
        reading: { cpuRatio: Math.min(1, Math.max(0, value)), takenAtMs: askedMs - ageMs },
      });
    }
    return { ...mapInstances(readings, nodes), invalid };
  }
}

/** What the two sets of series are matched by. */
const identityOf = ({ labels }: PrometheusSample): string =>
  `node=${labels['node'] ?? ''} instance=${labels['instance'] ?? ''}`;
