/** CPU use of a node: 0 idle, 1 all of it. */
export interface CpuReading {
  readonly cpuRatio: number;
  readonly takenAtMs: number;
}

/** A node and what it is known by, where it is not known by its name. */
export interface AddressedNode {
  readonly name: string;
  readonly internalIps: readonly string[];
  /** Its Hostname addresses and its label kubernetes.io/hostname. */
  readonly hostnames: readonly string[];
}

/** What one look at the CPU metrics gave. */
export interface CpuSnapshot {
  readonly byNode: ReadonlyMap<string, CpuReading>;
  /** Instances that belong to no known node. */
  readonly unmapped: readonly string[];
  /** Series whose value is no ratio, or that do not say when they were taken. */
  readonly invalid: readonly string[];
}

/** Where the CPU use of nodes is read. */
export interface CpuMetrics {
  /** @throws PrometheusError when there is no answer, or none that can be used. */
  read(nodes: Iterable<AddressedNode>): Promise<CpuSnapshot>;
}
