import type { Clock } from '../../shared/clock';
import type { KubeApi } from '../../shared/kubernetes/api';
import { Informer } from '../../shared/kubernetes/informer';
import type { Pod } from '../../shared/kubernetes/types';
import type { Logger } from '../../shared/log';
import type { BoundPod, PodSink } from '../ports';
import { cpuMillisOf } from '../wire/extender-args';

/** Follows the pods of one scheduler that are on a node and have not ended. */
export class KubePods {
  readonly #informer: Informer<Pod, BoundPod>;

  constructor(api: KubeApi, schedulerName: string, sink: PodSink, clock: Clock, log: Logger) {
    this.#informer = new Informer<Pod, BoundPod>(
      api,
      {
        path: '/api/v1/pods',
        fieldSelector: [
          `spec.schedulerName=${schedulerName}`,
          'spec.nodeName!=',
          'status.phase!=Succeeded',
          'status.phase!=Failed',
        ].join(),
        project: boundPod,
      },
      { set: (pod) => sink.bound(pod), remove: (pod) => sink.gone(pod.uid) },
      clock,
      log,
    );
  }

  get synced(): boolean {
    return this.#informer.synced;
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#informer.run(signal);
  }
}

function boundPod({ metadata, spec, status }: Pod): BoundPod {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const boundAtMs = Date.parse(scheduled?.lastTransitionTime ?? metadata.creationTimestamp ?? '');
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    uid: metadata.uid,
    cpuMillis: cpuMillisOf(spec.containers),
    node: spec.nodeName ?? '',
    boundAtMs: Number.isNaN(boundAtMs) ? undefined : boundAtMs,
  };
}
