import type { KeepAway, PodInfo } from '../../types';
import type { Filter } from '../filter';
import { matchesLabelSelector } from '../selectors';

/**
 * Required anti-affinity of pods that already run. The labels of namespaces are not watched: a term with a
 * namespaceSelector is taken to mean every namespace, so a node may be left out that would do, but none is used that
 * must not be. (The API server has merged matchLabelKeys into the selector.)
 */
export const existingAntiAffinity: Filter = {
  rule: 'InterPodAffinity',
  check: (pod, node, { keepAways }) =>
    keepAways.some(
      (one) => node.info.labels[one.term.topologyKey] === one.topologyValue && concerns(one, pod),
    )
      ? ["node(s) didn't satisfy existing pods anti-affinity rules"]
      : undefined,
};

/** Whether a term of a pod in a namespace means another pod. */
export function concerns(
  { namespace, term }: Pick<KeepAway, 'namespace' | 'term'>,
  pod: PodInfo,
): boolean {
  const { namespaces = [], namespaceSelector } = term;
  const inNamespace =
    namespaceSelector !== undefined ||
    (namespaces.length === 0 ? pod.namespace === namespace : namespaces.includes(pod.namespace));
  return inNamespace && matchesLabelSelector(term.labelSelector, pod.labels);
}
