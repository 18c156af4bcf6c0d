import type { V1Pod } from '@kubernetes/client-node';
import type { EstateCluster } from './cluster';
import { startAnewOnError } from './informers';
import { POSTURE, SCALED_JOB_LABEL } from './scaled-jobs';

/** Where an analyzer was put, and what the nodes were like when it was first seen there. */
export interface Placement {
  readonly scaledJob: string;
  readonly pod: string;
  readonly node: string;
  /** Whether its node was labelled as eligible. */
  readonly eligible: boolean;
  /** Nodes with a rank and without another analyzer, its own among them, by slot. */
  readonly free: readonly { readonly node: string; readonly slot: number }[];
}

/** Looks at the analyzers of the ScaledJobs at every change of any of them, and notes what must never be. */
export class AnalyzerWatch {
  readonly placements: Placement[] = [];
  readonly violations: string[] = [];
  /** Changes that were looked at. */
  looks = 0;
  private readonly seen = new Set<string>();
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
    for (const pod of holding) this.place(pod, byNode);
  }

  private place(pod: V1Pod, byNode: ReadonlyMap<string, readonly V1Pod[]>): void {
    const { uid = '', name = '', labels } = pod.metadata ?? {};
    if (this.seen.has(uid)) return;
    this.seen.add(uid);
    const node = pod.spec?.nodeName ?? '';
    const labelsOf = new Map(
      this.nodes.list().map(({ metadata }) => [metadata?.name ?? '', metadata?.labels ?? {}]),
    );
    const free = [...labelsOf].flatMap(([other, nodeLabels]) => {
      const taken = other !== node && byNode.has(other);
      const slot = Number(/^slot-(\d+)$/.exec(nodeLabels['posture/slot'] ?? '')?.[1]);
      return nodeLabels['posture/rank'] === undefined || taken ? [] : [{ node: other, slot }];
    });
    this.placements.push({
      scaledJob: labels?.[SCALED_JOB_LABEL] ?? '',
      pod: name,
      node,
      eligible: labelsOf.get(node)?.['posture/eligible'] === 'true',
      free: free.sort((a, b) => a.slot - b.slot),
    });
  }
}

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
