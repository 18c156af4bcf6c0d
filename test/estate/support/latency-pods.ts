import type { V1Pod } from '@kubernetes/client-node';
import { LATENCY_SCHEDULER_NAME } from '../../../components/plan';
import { PAUSE_IMAGE, podOf, type EstateCluster, type TestPod } from './cluster';
import { explanationOf, type Explanation } from './latency-extender';
import type { TestNamespace } from './test-namespace';
import { waitUntil } from './wait-until';

/** A pod that does nothing and takes next to nothing. */
export const smallPod = (pod: Omit<TestPod, 'image'>, schedulerName?: string): V1Pod =>
  podOf({
    image: PAUSE_IMAGE,
    cpuRequest: '10m',
    ...(schedulerName !== undefined && { schedulerName }),
    ...pod,
  });

/** Names and role of pods that belong together. */
export const numbered = (role: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `${role}-${index}`, labels: { role } }));

/** Where a pod went, and what the extender says of it. */
export interface PlacedPod {
  /** Undefined: no node took it. */
  readonly node: string | undefined;
  readonly told: Explanation;
}

/** Creates the only pod of the role `placed`, and waits until it is bound or no node took it. */
export async function place(
  cluster: EstateCluster,
  namespace: TestNamespace,
  name: string,
): Promise<PlacedPod> {
  const labels = { role: 'placed' };
  const pod = await namespace.createPod(smallPod({ name, labels }, LATENCY_SCHEDULER_NAME));
  const first = await waitUntil(`${name} to be placed`, async () => {
    const told = await explanationOf(cluster, pod);
    const [now] = await namespace.pods(labels.role);
    const node = now?.spec?.nodeName;
    return (
      told !== undefined && (node !== undefined || told.filter?.passed === 0) && { node, told }
    );
  });
  const { node } = first;
  if (node === undefined) return first;
  // It may have been asked about once more between the two looks.
  const told = await waitUntil('what it was placed by', async () => {
    const last = await explanationOf(cluster, pod);
    return last?.boundTo === node && last;
  });
  return { node, told };
}
