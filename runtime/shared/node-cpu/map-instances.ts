import type { AddressedNode, CpuReading } from './types';

/** A measured value and the labels that say where. */
export interface InstanceReading {
  /** Value of the `node` label; empty when there is none. */
  readonly node: string;
  /** Value of the `instance` label; empty when there is none. */
  readonly instance: string;
  readonly reading: CpuReading;
}

/** The readings by node, and what could not be told to belong to one. */
export interface MappedReadings {
  readonly byNode: ReadonlyMap<string, CpuReading>;
  readonly unmapped: readonly string[];
}

/** The host of `host:port`, `[v6]:port`, a bare host or a bare IPv6 address. */
export function hostOf(instance: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(instance);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  const colons = instance.split(':').length - 1;
  return colons === 1 ? instance.slice(0, instance.indexOf(':')) : instance;
}

/**
 * Finds the node of each reading: by the `node` label, then by the instance's host as InternalIP, then as host name
 * (the node's name, its Hostname address or its kubernetes.io/hostname label). Of two readings of one node the newer
 * counts, of two as new the higher.
 */
export function mapInstances(
  readings: readonly InstanceReading[],
  nodes: Iterable<AddressedNode>,
): MappedReadings {
  const names = new Set<string>();
  const byIp = new Map<string, string>();
  const byHost = new Map<string, string>();
  for (const node of nodes) {
    names.add(node.name);
    for (const ip of node.internalIps) byIp.set(ip, node.name);
    for (const host of node.hostnames) byHost.set(host, node.name);
  }
  const byNode = new Map<string, CpuReading>();
  const unmapped: string[] = [];
  for (const { node, instance, reading } of readings) {
    const host = hostOf(instance);
    const name = names.has(node)
      ? node
      : (byIp.get(host) ?? (names.has(host) ? host : byHost.get(host)));
    if (name === undefined) {
      unmapped.push(instance || node || '(no instance or node label)');
      continue;
    }
    const other = byNode.get(name);
    if (other === undefined || isBetter(reading, other)) byNode.set(name, reading);
  }
  return { byNode, unmapped };
}

const isBetter = (a: CpuReading, b: CpuReading): boolean =>
  a.takenAtMs > b.takenAtMs || (a.takenAtMs === b.takenAtMs && a.cpuRatio > b.cpuRatio);
