import type { Clock } from '../clock';
import type { PrometheusClient } from '../prometheus';
import type { AddressedNode, CpuMetrics, CpuSnapshot } from './types';
import { queryOf, snapshotOf } from './usage-query';

/** Reads the CPU of all nodes with one query. */
export class PrometheusCpu implements CpuMetrics {
  readonly #query: string;

  constructor(
    private readonly client: Pick<PrometheusClient, 'query'>,
    private readonly clock: Clock,
    ratioQuery: string,
    timeQuery: string,
  ) {
    this.#query = queryOf({ ratioQuery, timeQuery });
  }

  async read(nodes: Iterable<AddressedNode>): Promise<CpuSnapshot> {
    const askedMs = this.clock.nowMs();
    return snapshotOf(await this.client.query(this.#query), askedMs, nodes);
  }
}
