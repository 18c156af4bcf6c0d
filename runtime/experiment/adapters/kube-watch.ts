import type { Clock } from '../../shared/clock';
import type { KubeApi } from '../../shared/kubernetes/api';
import { Informer } from '../../shared/kubernetes/informer';
import type { KubeObject, Pod } from '../../shared/kubernetes/types';
import type { Logger } from '../../shared/log';
import { EXPERIMENT_NAMESPACE, WORKLOADS } from '../names';
import { PodTally } from '../policy/pod-tally';
import { RevisionClock } from '../policy/revision-clock';
import type { PodWatch } from '../ports';
import { readRevisions } from './kube-revisions';
import { waitUntil } from './wait';

const LIMIT_MS = 60_000;

interface Autoscaler extends KubeObject {
  readonly status?: { readonly desiredReplicas?: number };
}

/** Follows the pods and autoscalers of the workloads by watches of the API server. */
export async function watchPods(
  api: KubeApi,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<PodWatch> {
  const revisions = new RevisionClock();
  const tally = new PodTally();
  const desired = new Map<string, number>();
  const names = WORKLOADS.map(({ deployment }) => deployment).join();
  const pods = new Informer<Pod, Pod>(
    api,
    {
      path: `/api/v1/namespaces/${EXPERIMENT_NAMESPACE}/pods`,
      labelSelector: `app.kubernetes.io/name in (${names})`,
      project: (pod) => pod,
    },
    { set: (pod) => tally.set(pod), remove: (pod) => tally.remove(pod) },
    clock,
    log,
  );
  const autoscalers = new Informer<Autoscaler, Autoscaler>(
    api,
    {
      path: `/apis/autoscaling/v2/namespaces/${EXPERIMENT_NAMESPACE}/horizontalpodautoscalers`,
      project: (one) => one,
    },
    {
      set: ({ metadata, status }) => desired.set(metadata.name, status?.desiredReplicas ?? 0),
      remove: ({ metadata }) => desired.delete(metadata.name),
    },
    clock,
    log,
  );
  const ending = new AbortController();
  const running = Promise.all([
    pods.run(ending.signal),
    autoscalers.run(ending.signal),
    readRevisions(api, revisions, clock, ending.signal),
  ]);
  const stop = async () => {
    ending.abort();
    await running;
  };
  const missing = async () =>
    pods.synced && autoscalers.synced ? undefined : 'the API server gave no list yet';
  try {
    await waitUntil('pods and autoscalers', missing, { clock, signal, limitMs: LIMIT_MS });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    counts: () => tally.counts(),
    desired: () => Object.fromEntries([...desired].sort(([a], [b]) => a.localeCompare(b))),
    placements: () => tally.placements((revision) => revisions.boundsOf(revision)),
    stop,
  };
}
