import type { V1Node } from '@kubernetes/client-node';
import type { Kube } from './kube';
import { proxyPath, type ProxiedService } from './service-proxy';

/** One answer of Prometheus to an instant query. */
export interface CpuSample {
  readonly metric: Readonly<Record<string, string>>;
  /** Time (s) and value as text. */
  readonly value: readonly [number, string];
}

/**
 * The used share of each node (0..1) that the samples tell: by the label `node`, or by an `instance` that is the
 * node's name or one of its addresses, with or without a port. What is not a number is left out.
 */
export function cpuByNode(
  samples: readonly CpuSample[],
  nodes: readonly V1Node[],
): Map<string, number> {
  const names = new Map<string, string>();
  for (const { metadata, status } of nodes) {
    const name = metadata?.name ?? '';
    for (const { address } of status?.addresses ?? []) names.set(address, name);
    names.set(name, name);
  }
  const ratios = new Map<string, number>();
  for (const { metric, value } of samples) {
    const instance = metric.instance?.replace(/:\d+$/, '');
    const name = names.get(metric.node ?? '') ?? names.get(instance ?? '');
    const ratio = Number(value[1]);
    if (name !== undefined && Number.isFinite(ratio)) ratios.set(name, ratio);
  }
  return ratios;
}

/** The used share of each node (0..1) as Prometheus knows it; empty where Prometheus does not answer. */
export async function readNodeCpu(
  kube: Kube,
  prometheus: ProxiedService,
  query: string,
  nodes: readonly V1Node[],
): Promise<Map<string, number>> {
  const path = proxyPath(prometheus, `/api/v1/query?query=${encodeURIComponent(query)}`);
  try {
    const answer = await kube.json<{ data?: { result?: CpuSample[] } }>(path);
    return cpuByNode(answer.data?.result ?? [], nodes);
  } catch {
    return new Map(); // Not known, which each node then says for itself.
  }
}
