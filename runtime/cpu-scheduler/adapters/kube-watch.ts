import type { Clock } from '../../shared/clock';
import type { KubeApi } from '../../shared/kubernetes/api';
import { Informer } from '../../shared/kubernetes/informer';
import type { Node, Pod } from '../../shared/kubernetes/types';
import type { Logger } from '../../shared/log';
import type { ClusterSink, ClusterWatch } from '../ports';
import type { NodeInfo, PodInfo } from '../types';
import { projectNode, projectPod, type OnBadObject } from './project';

/**
 * Follows nodes, the pods that wait for this scheduler, and all pods that are on a node and have not ended. Three
 * watches, each told by the server only what it is for.
 */
export class KubeWatch implements ClusterWatch {
  #informers: readonly { readonly synced: boolean }[] = [];

  constructor(
    private readonly api: KubeApi,
    private readonly schedulerName: string,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  get synced(): boolean {
    return this.#informers.length > 0 && this.#informers.every(({ synced }) => synced);
  }

  async run(sink: ClusterSink, signal: AbortSignal): Promise<void> {
    const onBad: OnBadObject = (what, error) =>
      this.log.error({ what, err: error }, 'an object cannot be read');
    const { api, clock, log } = this;
    const nodes = new Informer<Node, NodeInfo>(
      api,
      { path: '/api/v1/nodes', project: (raw) => projectNode(raw, onBad) },
      { set: (node) => sink.setNode(node), remove: (node) => sink.removeNode(node) },
      clock,
      log,
    );
    const bound = new Informer<Pod, PodInfo>(
      api,
      {
        path: '/api/v1/pods',
        fieldSelector: 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed',
        project: (raw) => projectPod(raw, onBad),
      },
      { set: (pod) => sink.setBound(pod), remove: (pod) => sink.removeBound(pod) },
      clock,
      log,
    );
    const pending = new Informer<Pod, PodInfo>(
      api,
      {
        path: '/api/v1/pods',
        fieldSelector: `spec.schedulerName=${this.schedulerName},spec.nodeName=,status.phase=Pending`,
        project: (raw) => projectPod(raw, onBad),
      },
      { set: (pod) => sink.setPending(pod), remove: (pod) => sink.removePending(pod) },
      clock,
      log,
    );
    this.#informers = [nodes, bound, pending];
    await Promise.all([nodes.run(signal), bound.run(signal), pending.run(signal)]);
  }
}
