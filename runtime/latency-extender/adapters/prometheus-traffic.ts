import type { PrometheusClient } from '../../shared/prometheus';
import type { Traffic } from '../ports';
import type { BusiestNode } from '../types';

/** Asks Prometheus which node takes the most traffic. */
export class PrometheusTraffic implements Traffic {
  constructor(
    private readonly client: Pick<PrometheusClient, 'query'>,
    private readonly query: string,
  ) {}

  async busiest(): Promise<BusiestNode | undefined> {
    let busiest: BusiestNode | undefined;
    for (const { labels, value } of await this.client.query(this.query)) {
      const node = labels['node'] ?? '';
      // A node without a request, or a rate that is no number, is not busy.
      if (node === '' || !(value > 0)) continue;
      const rank = value - (busiest?.requestsPerSecond ?? 0);
      if (rank > 0 || (rank === 0 && node < (busiest?.node ?? '')))
        busiest = { node, requestsPerSecond: value };
    }
    return busiest;
  }
}
