import type { Snapshot, WorkerView } from '../types';

/** A snapshot as text, from which the same decisions follow. */
export function snapshotToText({ nodes, ...rest }: Snapshot): string {
  const plain = new Map([...nodes].map(([name, node]) => [name, plainNode(node)]));
  return JSON.stringify({ ...rest, nodes: plain }, (_key, value: unknown) => {
    if (value instanceof Map) return { $map: [...(value as ReadonlyMap<unknown, unknown>)] };
    return value instanceof Set ? { $set: [...(value as ReadonlySet<unknown>)] } : value;
  });
}

/** What {@link snapshotToText} has written. @throws SyntaxError for what is no JSON */
export function snapshotFromText(text: string): Snapshot {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('$map' in value) return new Map(value.$map as [unknown, unknown][]);
    return '$set' in value ? new Set(value.$set as unknown[]) : value;
  }) as Snapshot;
}

/** A node answers most by computing it; this is what it answers. */
function plainNode(node: WorkerView): WorkerView {
  const { info, requested, podCount, hostPorts, reading, previousReading } = node;
  const { unseenCpuRatio, requestedCpuRatio, worker, number, cpuRatio, memoryRatio } = node;
  return {
    ...{ info, requested, podCount, hostPorts, reading, previousReading },
    ...{ unseenCpuRatio, requestedCpuRatio, worker, number, cpuRatio, memoryRatio },
    pods: [...node.pods],
  };
}
