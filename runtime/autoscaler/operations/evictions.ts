import { lostLately, type Eviction } from '../../shared/disruptions/types';
import type { LeavingPod } from '../ports';
import type { Context } from './context';

/** By what name its evictions are on record. */
const NAME = 'autoscaler';

/**
 * Puts the evictions that follow on the record that all share. @param recorded uids of the pods that are there; grows.
 * @returns why they may not follow: somebody else has evicted a pod of the same owner lately, maybe since it was decided.
 * What the autoscaler itself has evicted was weighed by the decision.
 */
export async function recordEvictions(
  worker: string,
  pods: readonly LeavingPod[],
  recorded: Set<string>,
  { disruptions, clock, limits }: Context,
): Promise<string | undefined> {
  const added = pods.filter(({ uid }) => !recorded.has(uid));
  if (added.length === 0) return undefined;
  let refused: string | undefined;
  await disruptions.change((now) => {
    const atMs = clock.nowMs();
    const others = now.filter(({ by }) => by !== NAME);
    const lost = added.find(({ uid, ownerUid }) =>
      lostLately(others, { podUid: uid, ownerUid }, limits.evictionCooldownMs, atMs),
    );
    refused =
      lost && `the owner of pod ${lost.namespace}/${lost.name} lost a pod to an eviction lately`;
    if (refused !== undefined) return now;
    const known = new Set(now.filter(({ by }) => by === NAME).map(({ podUid }) => podUid));
    const news = added.filter(({ uid }) => !known.has(uid));
    return [...now, ...news.map((pod) => evictionOf(pod, worker, atMs))];
  });
  if (refused === undefined) for (const { uid } of added) recorded.add(uid);
  return refused;
}

/** Takes those off the record that were not carried out. Where that fails their owners are left alone for a while. */
export async function forgetUndone(worker: string, context: Context): Promise<void> {
  const { cluster, disruptions } = context;
  try {
    const pods = await cluster.leavingPods(worker);
    const staying = new Set(pods.filter(({ deleting }) => !deleting).map(({ uid }) => uid));
    if (staying.size === 0) return;
    await disruptions.change((now) => {
      const left = now.filter(({ by, podUid }) => by !== NAME || !staying.has(podUid));
      return left.length === now.length ? now : left;
    });
  } catch (error) {
    context.problem('evictions that did not happen stay on record', error);
  }
}

const evictionOf = (pod: LeavingPod, node: string, atMs: number): Eviction => ({
  ...{ podUid: pod.uid, pod: `${pod.namespace}/${pod.name}`, ownerUid: pod.ownerUid },
  ...{ node, atMs, by: NAME },
});
