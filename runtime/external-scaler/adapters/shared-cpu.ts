import type {
  AddressedNode,
  CpuMetrics,
  CpuReading,
  CpuSnapshot,
} from '../../shared/node-cpu/types';

/** Who has readings of the nodes already. */
export interface ReadingSource {
  /** Those that are fit to be used instead of our own; undefined where there are none. */
  readings(): ReadonlyMap<string, CpuReading> | undefined;
}

/** Reads what the node-controller has read, and asks for itself where that has nothing to say. */
export class SharedCpu implements CpuMetrics {
  constructor(
    private readonly shared: ReadingSource,
    private readonly own: CpuMetrics,
  ) {}

  async read(nodes: Iterable<AddressedNode>): Promise<CpuSnapshot> {
    const readings = this.shared.readings();
    if (readings === undefined) return this.own.read(nodes);
    const byNode = new Map<string, CpuReading>();
    for (const { name } of nodes) {
      const reading = readings.get(name);
      if (reading !== undefined) byNode.set(name, reading);
    }
    // What it says of other nodes only is no reading of ours.
    if (byNode.size === 0) return this.own.read(nodes);
    return { byNode, unmapped: [], invalid: [] };
  }
}
