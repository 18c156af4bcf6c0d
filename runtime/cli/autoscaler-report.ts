import { workerNumber } from '../autoscaler/policy/worker-name';
import type { Kube } from './kube';
import { proxiedService, proxyPath } from './service-proxy';
import type { StackOutputs } from './stack-outputs';
import { messageOf } from './user-error';

const AUTOSCALER = 'autoscaler';

/** What the autoscaler's API says, as far as it is read here. */
export interface AutoscalerAnswers {
  /** Of `/config`. */
  readonly config: {
    readonly MIN_NODES: number;
    readonly MAX_NODES: number;
    readonly DRY_RUN: boolean;
    readonly PERMANENT_WORKERS: readonly string[];
  };
  /** Of `/metrics`; without a reason before the first cycle. */
  readonly metrics: { readonly reason?: string };
  /** Of `/nodes/metrics`. */
  readonly nodes: readonly {
    readonly name: string;
    readonly worker: boolean;
    readonly ready: boolean;
  }[];
  /** Of `/workers`: what it made, and what it is doing with it. */
  readonly workers: readonly {
    readonly name: string;
    readonly operation: { readonly kind: string; readonly step: string } | null;
  }[];
}

/** A worker as the autoscaler sees it. */
export interface WorkerRow {
  readonly name: string;
  /** Autoscaled ones come and go; permanent ones never do by the autoscaler. */
  readonly kind: 'permanent' | 'autoscaled';
  readonly ready: boolean;
  /** The step that an operation is at, such as `down: drain`; null where none is under way. */
  readonly operation: string | null;
}

/** Autoscaling as `status` shows it. */
export interface AutoscalerReport {
  /** Why the autoscaler says nothing; null where it does. */
  readonly unanswered: string | null;
  readonly minNodes: number;
  readonly maxNodes: number;
  /** Whether it decides and changes nothing. */
  readonly dryRun: boolean;
  /** Of its last decision. */
  readonly reason: string;
  readonly workers: readonly WorkerRow[];
}

/** Asks the autoscaler, through the API server, for its workers; null for an estate without one. */
export async function readAutoscaler(
  kube: Kube,
  { urls }: StackOutputs,
): Promise<AutoscalerReport | null> {
  const service = proxiedService(urls?.[AUTOSCALER] ?? '');
  if (service === undefined) return null;
  const ask = <T>(path: string): Promise<T> => kube.json<T>(proxyPath(service, path));
  try {
    const [config, metrics, { nodes }, { workers }] = await Promise.all([
      ask<AutoscalerAnswers['config']>('/config'),
      ask<AutoscalerAnswers['metrics']>('/metrics'),
      ask<Pick<AutoscalerAnswers, 'nodes'>>('/nodes/metrics'),
      ask<Pick<AutoscalerAnswers, 'workers'>>('/workers'),
    ]);
    return autoscalerReport({ config, metrics, nodes, workers });
  } catch (error) {
    const unanswered = `${AUTOSCALER} does not answer: ${messageOf(error).slice(0, 120)}`;
    return { unanswered, minNodes: 0, maxNodes: 0, dryRun: false, reason: '', workers: [] };
  }
}

/** Every node that the autoscaler counts, and what it is making or taking away. */
export function autoscalerReport(answers: AutoscalerAnswers): AutoscalerReport {
  const { config, metrics, nodes, workers } = answers;
  const permanent = new Set(config.PERMANENT_WORKERS);
  const ready = new Map(
    nodes.filter(({ worker }) => worker).map((node) => [node.name, node.ready]),
  );
  const operations = new Map(workers.map(({ name, operation }) => [name, operation]));
  const rows = [...new Set([...ready.keys(), ...operations.keys()])].map((name): WorkerRow => {
    const operation = operations.get(name);
    return {
      name,
      kind: workerNumber(name) === null || permanent.has(name) ? 'permanent' : 'autoscaled',
      ready: ready.get(name) ?? false,
      operation: operation ? `${operation.kind}: ${operation.step}` : null,
    };
  });
  return {
    unanswered: null,
    minNodes: config.MIN_NODES,
    maxNodes: config.MAX_NODES,
    dryRun: config.DRY_RUN,
    reason: metrics.reason ?? '',
    workers: rows.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })),
  };
}
