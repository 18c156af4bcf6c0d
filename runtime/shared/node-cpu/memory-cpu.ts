import { mapInstances, type InstanceReading } from './map-instances';
import type { AddressedNode, CpuMetrics, CpuSnapshot } from './types';

/** CPU readings that are what they are set to; for tests. */
export class MemoryCpu implements CpuMetrics {
  readings: readonly InstanceReading[] = [];
  /** Thrown instead of an answer while it is set. */
  failure: Error | undefined;

  async read(nodes: Iterable<AddressedNode>): Promise<CpuSnapshot> {
    if (this.failure !== undefined) throw this.failure;
    return { ...mapInstances(this.readings, nodes), invalid: [] };
  }
}
