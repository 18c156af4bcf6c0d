import type { V1Pod } from '@kubernetes/client-node';
import type { EstateCluster } from './cluster';
import { startAnewOnError } from './informers';
import { POSTURE, SCALED_JOB_LABEL } from './scaled-jobs';

/** Where an analyzer was put, and what the nodes were like until it ran there. */
export interface Placement {
  readonly scaledJob: string;
  /** Name of its Job. */
  readonly job: string;
  readonly pod: string;
  readonly node: string;
  /** Whether its node was labelled as eligible when it was first seen there. */
  readonly eligible: boolean;
  /**
   * Its own node, and those that no other analyzer was on and that had a rank for certain when it was placed: from when the
   * watch began until it ran. By slot.
   */
  free: readonly { readonly node: string; readonly slot: number }[];
  /** Nodes that may have had a rank when it was placed: at some time from when the watch began until it ran. */
  ranked: readonly string[];
}

/** Looks at the analyzers of the ScaledJobs at every change of any of them, and notes what must never be. */
export class AnalyzerWatch {
  readonly placements: Placement[] = [];
  readonly violations: string[] = [];
  /** Changes that were looked at. */
  looks = 0;
  /** Nodes that had a rank at some time since the watch began. */
  private readonly everRanked = new Set<string>();
  private readonly everUnranked = new Set<string>();
  private readonly seen = new Set<string>();
  /** Placements of analyzers that do not run yet, by uid. What is told of nodes may come later than what is of pods. */
  private readonly starting = new Map<string, Placement>();
  private readonly pods;
  private readonly nodes;
  private stopped = false;

  private constructor(cluster: EstateCluster) {
    this.pods = cluster.watchPods(POSTURE, SCALED_JOB_LABEL);
    this.nodes = cluster.watchNodes();
    startAnewOnError(this.pods, () => this.stopped);
    startAnewOnError(this.nodes, () => this.stopped);
    for (const event of ['add', 'update', 'delete'] as const)
      this.pods.on(event, () => this.look());
    for (const event of ['add', 'update'] as const)
      this.nodes.on(event, ({ metadata }) =>
        (isRanked(metadata?.labels) ? this.everRanked : this.everUnranked).add(
          metadata?.name ?? '',
        ),
      );
  }

  /** Starts to look; what is there already is not a placement. */
  static async start(cluster: EstateCluster): Promise<AnalyzerWatch> {
    const watch = new AnalyzerWatch(cluster);
    await watch.nodes.start();
    for (const pod of await cluster.pods(POSTURE, SCALED_JOB_LABEL))
      if (pod.spec?.nodeName) watch.seen.add(pod.metadata?.uid ?? '');
    await watch.pods.start();
    return watch;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.pods.stop();
    await this.nodes.stop();
  }

  private look(): void {
    this.looks += 1;
    const holding = this.pods.list().filter(holdsNode);
    const byNode = grouped(holding);
    for (const [node, pods] of byNode)
      if (pods.length > 1)
        this.violations.push(
          `${pods.map(({ metadata }) => metadata?.name).join(' and ')} were on ${node} together`,
        );
    for (const pod of holding) this.place(pod);
    for (const { metadata, status } of this.pods.list()) {
      const placement = this.starting.get(metadata?.uid ?? '');
      if (placement === undefined) continue;
      Object.assign(placement, this.nodesFor(placement, byNode));
      if (status?.phase !== 'Pending') this.starting.delete(metadata?.uid ?? '');
    }
  }

  private place(pod: V1Pod): void {
    const { uid = '', name = '', labels } = pod.metadata ?? {};
    if (this.seen.has(uid)) return;
    this.seen.add(uid);
    const node = pod.spec?.nodeName ?? '';
    const own = this.nodes.list().find(({ metadata }) => metadata?.name === node);
    const placement: Placement = {
      scaledJob: labels?.[SCALED_JOB_LABEL] ?? '',
      job: labels?.['batch.kubernetes.io/job-name'] ?? '',
      pod: name,
      node,
      eligible: own?.metadata?.labels?.['posture/eligible'] === 'true',
      free: [],
      ranked: [],
    };
    this.placements.push(placement);
    this.starting.set(uid, placement);
  }

  private nodesFor(
    { node }: Placement,
    byNode: ReadonlyMap<string, readonly V1Pod[]>,
  ): Pick<Placement, 'free' | 'ranked'> {
    const free = this.nodes.list().flatMap(({ metadata }) => {
      const { name: other = '', labels } = metadata ?? {};
      const slot = Number(/^slot-(\d+)$/.exec(labels?.['posture/slot'] ?? '')?.[1]);
      const isFree = isRanked(labels) && !this.everUnranked.has(other) && !byNode.has(other);
      return other === node || isFree ? [{ node: other, slot }] : [];
    });
    return { free: free.sort((a, b) => a.slot - b.slot), ranked: [...this.everRanked].sort() };
  }
}

const isRanked = (labels: Readonly<Record<string, string>> = {}): boolean =>
  labels['posture/rank'] !== undefined;

/** Bound, and not ended. */
const holdsNode = ({ spec, status }: V1Pod): boolean =>
  Boolean(spec?.nodeName) && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';

function grouped(pods: readonly V1Pod[]): Map<string, V1Pod[]> {
  const groups = new Map<string, V1Pod[]>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName ?? '';
    groups.set(node, [...(groups.get(node) ?? []), pod]);
  }
  return groups;
}
