import type { Filter } from '../filter';
import { concerns } from './existing-anti-affinity';

/** The one topology of a pod's own required anti-affinity that is handled: a node by itself. */
export const HOSTNAME = 'kubernetes.io/hostname';

/** The pod's own required anti-affinity: it stays off nodes with pods that its terms mean. */
export const ownAntiAffinity: Filter = {
  rule: 'InterPodAffinity',
  check: (pod, node) => {
    const terms = pod.antiAffinity.filter(({ topologyKey }) => topologyKey === HOSTNAME);
    if (terms.length === 0) return undefined;
    for (const other of node.pods)
      for (const term of terms)
        if (other.uid !== pod.uid && concerns({ namespace: pod.namespace, term }, other))
          return ["node(s) didn't match pod anti-affinity rules"];
    return undefined;
  },
};
