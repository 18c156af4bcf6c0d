import { projectNode, projectPod, type OnBadObject } from '../../cpu-scheduler/adapters/project';
import type { Clock } from '../../shared/clock';
import { evictionsIn } from '../../shared/disruptions/lease-disruptions';
import type { KubeApi } from '../../shared/kubernetes/api';
import { Informer, type InformerSource } from '../../shared/kubernetes/informer';
import type { KubeObject, Lease, Node, Pod } from '../../shared/kubernetes/types';
import type { Logger } from '../../shared/log';
import type { ClusterSink, ClusterWatch, Followed, RecordedEvictions } from '../ports';
import { projectBudget, projectClaim, projectClass, projectVolume } from './project-storage';

/** Where the record of evictions is. */
export interface RecordOptions {
  readonly leaseNamespace: string;
  readonly disruptionsLease: string;
}

/** Follows the API server by informers, each told by the server only what it is for. */
export class KubeWatch implements ClusterWatch {
  #informers: readonly Pick<Informer<KubeObject, unknown>, 'synced' | 'silentMs'>[] = [];

  constructor(
    private readonly api: KubeApi,
    private readonly options: RecordOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  get synced(): boolean {
    return this.#informers.length > 0 && this.#informers.every(({ synced }) => synced);
  }

  /** Milliseconds since the server last said something, on the watch that is silent the longest; undefined before it did. */
  get silentMs(): number | undefined {
    const silent = this.#informers.map(({ silentMs }) => silentMs);
    const known = silent.filter((ms) => ms !== undefined);
    return known.length < silent.length || known.length === 0 ? undefined : Math.max(...known);
  }

  async run(sink: ClusterSink, signal: AbortSignal): Promise<void> {
    const onBad: OnBadObject = (what, error) =>
      this.log.error({ what, err: error }, 'an object cannot be read');
    const { leaseNamespace, disruptionsLease } = this.options;
    const follow = <Raw extends KubeObject, T>(
      handlers: Followed<T>,
      source: InformerSource<Raw, T>,
    ): Informer<Raw, T> => new Informer(this.api, source, handlers, this.clock, this.log);
    const informers = [
      follow<Node, Parameters<typeof sink.nodes.set>[0]>(sink.nodes, {
        path: '/api/v1/nodes',
        project: (raw) => projectNode(raw, onBad),
      }),
      follow<Pod, Parameters<typeof sink.bound.set>[0]>(sink.bound, {
        path: '/api/v1/pods',
        fieldSelector: 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed',
        project: (raw) => projectPod(raw, onBad),
      }),
      follow<Pod, Pod>(sink.unbound, {
        path: '/api/v1/pods',
        fieldSelector: 'spec.nodeName=,status.phase=Pending',
        project: withoutManagedFields,
      }),
      follow(sink.claims, { path: '/api/v1/persistentvolumeclaims', project: projectClaim }),
      follow(sink.volumes, { path: '/api/v1/persistentvolumes', project: projectVolume }),
      follow(sink.classes, {
        path: '/apis/storage.k8s.io/v1/storageclasses',
        project: projectClass,
      }),
      follow(sink.budgets, {
        path: '/apis/policy/v1/poddisruptionbudgets',
        project: projectBudget,
      }),
      follow<Lease, RecordedEvictions>(sink.evictions, {
        path: `/apis/coordination.k8s.io/v1/namespaces/${leaseNamespace}/leases`,
        fieldSelector: `metadata.name=${disruptionsLease}`,
        project: (raw) => recorded(raw, onBad),
      }),
    ];
    this.#informers = informers;
    await Promise.all(informers.map((informer) => informer.run(signal)));
  }
}

/** Without who set which field, which is as large as the rest and read by nobody. */
const withoutManagedFields = ({ metadata, spec, status }: Pod): Pod => ({
  metadata: { ...metadata, managedFields: undefined } as Pod['metadata'],
  spec,
  ...(status && { status }),
});

function recorded(raw: Lease, onBad: OnBadObject): RecordedEvictions {
  const { uid, name } = raw.metadata;
  try {
    return { uid, name, evictions: evictionsIn(raw) };
  } catch (error) {
    onBad(`Lease ${name}`, error);
    return { uid, name, evictions: undefined };
  }
}
