import { observedNode } from '../../node-availability/observed-node';
import type { Clock } from '../../shared/clock';
import type { KubeApi } from '../../shared/kubernetes/api';
import { Informer } from '../../shared/kubernetes/informer';
import type { KubeObject, Node, Pod } from '../../shared/kubernetes/types';
import type { Logger } from '../../shared/log';
import type { ClusterSink, ClusterWatch } from '../ports';
import {
  ANALYZER_LABEL,
  projectJob,
  projectPod,
  projectScaledJob,
  type RawJob,
  type RawScaledJob,
} from './project';

/** Follows the cluster through the API server. */
export class KubeWatch implements ClusterWatch {
  #informers: readonly {
    readonly synced: boolean;
    readonly silentMs: number | undefined;
  }[] = [];

  constructor(
    private readonly api: KubeApi,
    private readonly namespace: string,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  get synced(): boolean {
    return this.#informers.length > 0 && this.#informers.every(({ synced }) => synced);
  }

  get silentMs(): number {
    return Math.max(0, ...this.#informers.map(({ silentMs }) => silentMs ?? 0));
  }

  async run(sink: ClusterSink, signal: AbortSignal): Promise<void> {
    const { api, clock, log, namespace } = this;
    /** Objects are kept with their uid, since what is projected away must be removed as well. */
    const follow = <Raw extends KubeObject, T>(
      source: { path: string; labelSelector?: string },
      project: (raw: Raw) => T | undefined,
      set: (object: T, uid: string) => void,
      remove: (uid: string, object: T | undefined) => void,
    ) =>
      new Informer<Raw, { readonly uid: string; readonly object: T | undefined }>(
        api,
        { ...source, project: (raw) => ({ uid: raw.metadata.uid, object: project(raw) }) },
        {
          set: ({ uid, object }) => (object === undefined ? remove(uid, object) : set(object, uid)),
          remove: ({ uid, object }) => remove(uid, object),
        },
        clock,
        log,
      );
    // After a list, a node made anew under its old name is reported before the old one is reported gone.
    const nodeUids = new Map<string, string>();
    const informers = [
      follow<Node, ReturnType<typeof observedNode>>(
        { path: '/api/v1/nodes' },
        observedNode,
        (node, uid) => {
          nodeUids.set(node.name, uid);
          sink.setNode(node);
        },
        (uid, node) => {
          if (node === undefined || nodeUids.get(node.name) !== uid) return;
          nodeUids.delete(node.name);
          sink.removeNode(node.name);
        },
      ),
      follow(
        {
          path: `/api/v1/namespaces/${namespace}/pods`,
          labelSelector: `${ANALYZER_LABEL.key}=${ANALYZER_LABEL.value}`,
        },
        (raw: Pod) => projectPod(raw),
        (pod) => sink.setPod(pod),
        (uid) => sink.removePod(uid),
      ),
      follow(
        { path: `/apis/batch/v1/namespaces/${namespace}/jobs` },
        (raw: RawJob) => projectJob(raw),
        (job) => sink.setJob(job),
        (uid) => sink.removeJob(uid),
      ),
      follow(
        { path: `/apis/keda.sh/v1alpha1/namespaces/${namespace}/scaledjobs` },
        (raw: RawScaledJob) => projectScaledJob(raw),
        (scaledJob) => sink.setScaledJob(scaledJob),
        (_uid, scaledJob) => scaledJob && sink.removeScaledJob(scaledJob),
      ),
    ];
    this.#informers = informers;
    await Promise.all(informers.map((informer) => informer.run(signal)));
  }
}
