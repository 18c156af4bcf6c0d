import { PatchStrategy, setHeaderOptions, type V1Taint } from '@kubernetes/client-node';
import type { EstateCluster } from './cluster';
import { waitUntil } from './wait-until';

/** Gives all nodes a taint beside those that they have, or takes it away again. */
export async function setTaint(
  cluster: EstateCluster,
  taint: V1Taint,
  present: boolean,
): Promise<void> {
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  const { items } = await cluster.core.listNode();
  for (const { metadata } of items) {
    const name = metadata?.name ?? '';
    // Others change nodes as well: the version says that nothing is overwritten.
    await waitUntil(`the taint of ${name} to be ${present ? 'set' : 'gone'}`, async () => {
      const { metadata: now, spec } = await cluster.core.readNode({ name });
      const others = (spec?.taints ?? []).filter(({ key }) => key !== taint.key);
      const body = {
        metadata: { resourceVersion: now?.resourceVersion },
        spec: { taints: present ? [...others, taint] : others },
      };
      return cluster.core.patchNode({ name, body }, merge);
    });
  }
}
