import { reasonOf } from '../policy/reason';
import type { ViewSettings } from '../policy/view';
import type { RatedNode, RatingHistory } from './history';
import type { NodeTable } from './node-table';
import type { Refresher } from './refresher';

const asTime = (ms: number): string => new Date(ms).toISOString();

/** The last answers about a pod, with the readings they were made from; undefined when there were none. */
export function explain(
  history: RatingHistory,
  namespace: string,
  name: string,
): Record<string, unknown> | undefined {
  const rating = history.get(namespace, name);
  if (rating === undefined) return undefined;
  const { filter, prioritize, pod } = rating;
  const shown = ({ view, node, why, extenderScore }: RatedNode) => ({
    ...view,
    node,
    ...(why !== undefined && { why }),
    ...(extenderScore !== undefined && { extenderScore }),
  });
  return {
    pod: {
      namespace: pod.namespace,
      name: pod.name,
      uid: pod.uid,
      cpuMillis: pod.cpuMillis ?? null,
    },
    target: { node: rating.target.node ?? null, why: rating.target.why },
    nothingFresh: rating.nothingFresh,
    boundTo: rating.boundTo ?? null,
    ...(filter !== undefined && {
      filter: {
        ...filter,
        atMs: undefined,
        at: asTime(filter.atMs),
        nodes: filter.nodes.map(shown),
      },
    }),
    ...(prioritize !== undefined && {
      prioritize: {
        ...prioritize,
        atMs: undefined,
        at: asTime(prioritize.atMs),
        best: prioritize.best ?? null,
        nodes: prioritize.nodes.map(shown),
      },
    }),
  };
}

/** All that answers are made from now: the target, the numbers of the formula, and every node. */
export function stateOf(
  table: NodeTable,
  refresher: Refresher,
  settings: ViewSettings & { readonly nothingFresh: string },
): Record<string, unknown> {
  const target = table.target;
  return {
    target: { node: target.node ?? null, why: target.why },
    busiest: refresher.busiest ?? null,
    trafficProblem: refresher.trafficProblem ?? null,
    nothingFresh: table.freshNodes === 0,
    whenNothingFresh: settings.nothingFresh,
    freshNodes: table.freshNodes,
    formula: {
      cpuWeight: settings.cpuWeight,
      latencyWeight: settings.latencyWeight,
      cpuLimitRatio: settings.cpuLimitRatio,
      latencyLimitRatio: settings.latencyLimitRatio,
      cpuPenaltyFromRatio: settings.cpuPenaltyFromRatio,
      cpuPenalty: settings.cpuPenalty,
    },
    nodes: table.views.map((view) => {
      const why = reasonOf(view, target.node, settings);
      return { ...view, ...(why !== undefined && { why }) };
    }),
  };
}
