import type { V1Pod } from '@kubernetes/client-node';
import type { Kube } from './kube';
import { proxiedService, proxyPath } from './service-proxy';
import type { StackOutputs } from './stack-outputs';
import { messageOf } from './user-error';

const EXTENDER = 'latency-extender';
const SCHEDULER = 'latency-aware-scheduler';

/** What the latency extender's `/state` says, as far as it is read here. */
export interface ExtenderState {
  readonly target: { readonly node: string | null; readonly why: string };
  readonly nodes: readonly {
    readonly node: string;
    readonly effectiveCpuRatio: number | null;
    readonly latencyMs: number | null;
    readonly score: number | null;
    readonly why?: string;
  }[];
}

/** A node as the latency extender rates it. What is not known is null. */
export interface RatedRow {
  readonly node: string;
  /** Used share of its processors (0..1), with what pods placed moments ago will add. */
  readonly cpuRatio: number | null;
  /** Round trip that is counted, in milliseconds. */
  readonly latencyMs: number | null;
  /** 0..1; null for a node that is out. */
  readonly score: number | null;
  /** Why it is out; null for a node that is in. */
  readonly why: string | null;
}

/** A pod of the latency-aware scheduler. */
export interface PlacedRow {
  readonly name: string;
  readonly namespace: string;
  /** Null while it has none. */
  readonly node: string | null;
}

/** Latency-aware scheduling as `status` shows it. */
export interface LatencyReport {
  /** Why the extender says nothing; null where it does. */
  readonly unanswered: string | null;
  /** The busiest node, to which latency is counted; null where there is none. */
  readonly target: string | null;
  /** Why that node, or none. */
  readonly why: string;
  readonly nodes: readonly RatedRow[];
  readonly pods: readonly PlacedRow[];
}

/** Asks the extender, through the API server, how it rates nodes; null for an estate without one. */
export async function readLatency(
  kube: Kube,
  { urls }: StackOutputs,
): Promise<LatencyReport | null> {
  const service = proxiedService(urls?.[EXTENDER] ?? '');
  if (service === undefined) return null;
  const [{ items }, state] = await Promise.all([
    kube.json<{ items: V1Pod[] }>(`/api/v1/pods?fieldSelector=spec.schedulerName%3D${SCHEDULER}`),
    kube
      .json<ExtenderState>(proxyPath(service, '/state'))
      .catch((error: unknown) => `${EXTENDER} does not answer: ${messageOf(error).slice(0, 120)}`),
  ]);
  return latencyReport(items, state);
}

/** @param state what the extender says, or why it does not. */
export function latencyReport(
  pods: readonly V1Pod[],
  state: ExtenderState | string,
): LatencyReport {
  const placed = pods
    // Those that have ended, or end, are nowhere.
    .filter(
      ({ metadata, status }) =>
        metadata?.deletionTimestamp === undefined &&
        status?.phase !== 'Succeeded' &&
        status?.phase !== 'Failed',
    )
    .map(({ metadata, spec }) => ({
      name: metadata?.name ?? '',
      namespace: metadata?.namespace ?? '',
      node: spec?.nodeName ?? null,
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
  if (typeof state === 'string')
    return { unanswered: state, target: null, why: '', nodes: [], pods: placed };
  const nodes = state.nodes
    .map(({ node, effectiveCpuRatio, latencyMs, score, why }) => ({
      node,
      cpuRatio: effectiveCpuRatio,
      latencyMs,
      score,
      why: why ?? null,
    }))
    .sort((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }));
  const { target } = state;
  return { unanswered: null, target: target.node, why: target.why, nodes, pods: placed };
}
