import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { NAMESPACES } from '../../../components/plan';
import type { EstateCluster } from './cluster';
import { waitUntil } from './wait-until';

const PROBER = { namespace: NAMESPACES.probers, name: 'prober' } as const;

/** Lets the probers be on fewer nodes than all, and on all again. */
export class ProberNodes {
  private constructor(
    private readonly cluster: EstateCluster,
    /** What they were like. */
    private readonly former: { readonly updateStrategy: object; readonly affinity: object | null },
  ) {}

  static async of(cluster: EstateCluster): Promise<ProberNodes> {
    const { spec } = await cluster.apps.readNamespacedDaemonSet(PROBER);
    return new ProberNodes(cluster, {
      updateStrategy: spec?.updateStrategy ?? {},
      affinity: spec?.template.spec?.affinity ?? null,
    });
  }

  /** Ends the probers of these nodes, and lets no others be there. All others go on undisturbed. */
  async leave(nodes: readonly string[]): Promise<void> {
    const away = { key: 'kubernetes.io/hostname', operator: 'NotIn', values: nodes };
    await this.patch({
      // Those that may stay are not replaced by others of the changed template.
      updateStrategy: { type: 'OnDelete', rollingUpdate: null },
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [away] }],
          },
        },
      },
    });
    await waitUntil(`the probers to leave ${nodes.join()}`, async () => {
      const pods = await this.cluster.pods(PROBER.namespace);
      return !pods.some(({ spec }) => nodes.includes(spec?.nodeName ?? ''));
    });
  }

  /** Lets them be where they were. */
  return(): Promise<void> {
    return this.patch(this.former);
  }

  private async patch(change: {
    readonly updateStrategy: object;
    readonly affinity: object | null;
  }): Promise<void> {
    const { updateStrategy, affinity } = change;
    await this.cluster.apps.patchNamespacedDaemonSet(
      { ...PROBER, body: { spec: { updateStrategy, template: { spec: { affinity } } } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  }
}
