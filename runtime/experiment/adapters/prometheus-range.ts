import type { CpuRow } from '../../experiment-report/types';
import { observedNode } from '../../node-availability/observed-node';
import type { KubeApi } from '../../shared/kubernetes/api';
import type { Node } from '../../shared/kubernetes/types';
import { ExperimentError } from '../experiment-error';
import { cpuRowsOf, type TimeSpan } from '../policy/cpu-rows';

/** Asks a Prometheus for a path below its URL, and parses its answer. */
export type AskPrometheus = (path: string) => Promise<unknown>;

/** One that the API server leads to. @param prefix path of its service's proxy */
export const throughApi =
  (api: KubeApi, prefix: string): AskPrometheus =>
  (path) =>
    api.request({ method: 'GET', path: `${prefix}${path}` });

/** One that this machine reaches itself. */
export const directly =
  (url: string): AskPrometheus =>
  async (path) => {
    const answer = await fetch(`${url.replace(/\/+$/, '')}${path}`);
    if (!answer.ok) throw new ExperimentError(`${url} answers ${answer.status}`);
    return answer.json();
  };

/** The CPU of every node of the cluster over a span of time, all at once and when it is over. */
export async function readCpu(
  api: KubeApi,
  ask: AskPrometheus,
  promql: string,
  span: TimeSpan,
): Promise<CpuRow[]> {
  const { items } = await api.request<{ items: Node[] }>({ method: 'GET', path: '/api/v1/nodes' });
  const query = new URLSearchParams({
    query: promql,
    start: String(span.fromMs / 1000),
    end: String(span.toMs / 1000),
    step: String(span.stepMs / 1000),
  });
  const answer = await ask(`/api/v1/query_range?${query.toString()}`);
  return cpuRowsOf(answer, items.map(observedNode), span);
}
