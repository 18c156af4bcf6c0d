import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export { Registry, type Counter, type Gauge, type Histogram };

/** Makes the metrics of one service, all in one registry and under one prefix. */
export interface MetricsFactory {
  readonly registry: Registry;
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  /** @param collect sets it whenever the metrics are read. */
  gauge<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    collect?: () => void,
  ): Gauge<L>;
  /** Buckets are upper bounds in the unit of the name, for example seconds. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly L[],
  ): Histogram<L>;
}

/** A registry with the process's own metrics (memory, event loop delay), and helpers that add `prefix_` to names. */
export function createMetrics(
  prefix: string,
  options: { processMetrics?: boolean } = {},
): MetricsFactory {
  const registry = new Registry();
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  const common = <L extends string>(name: string, help: string, labels: readonly L[] = []) => ({
    name: `${prefix}_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    registry,
    counter: (name, help, labels) => new Counter(common(name, help, labels)),
    gauge: (name, help, labels, collect) =>
      new Gauge({ ...common(name, help, labels), ...(collect && { collect }) }),
    histogram: (name, help, buckets, labels) =>
      new Histogram({ ...common(name, help, labels), buckets: [...buckets] }),
  };
}
