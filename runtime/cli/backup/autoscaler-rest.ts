import { setTimeout as wait } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ProxiedService } from '../service-proxy';
import { UserError } from '../user-error';

/** On the autoscaler's Deployment while it rests: how many replicas it had, for a run that is cut short. */
export const REPLICAS_ANNOTATION = 'berth/replicas-before-restore';
/** It gives up its Lease within 12 s of being told to end. */
const LIMIT_MS = 120_000;
const LOOK_MS = 500;

/**
 * Runs while no replica of the autoscaler does, since it would write amid what is restored. Its replicas are as before
 * when this settles; after a run that was cut short, the next one gives it back those that it had.
 * @throws UserError where its pods do not end.
 */
export async function whileAutoscalerRests<T>(
  config: KubeConfig,
  { name, namespace }: ProxiedService,
  run: () => Promise<T>,
): Promise<T> {
  const { AppsV1Api, CoreV1Api, PatchStrategy, setHeaderOptions } =
    await import('@kubernetes/client-node');
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  const scale = async (replicas: number, kept: string | null) => {
    const annotations = { [REPLICAS_ANNOTATION]: kept };
    const body = { metadata: { annotations }, spec: { replicas } };
    await apps.patchNamespacedDeployment({ name, namespace, body }, merge);
  };
  const { metadata, spec } = await apps.readNamespacedDeployment({ name, namespace });
  const had = Number(metadata?.annotations?.[REPLICAS_ANNOTATION] ?? spec?.replicas ?? 1);
  const labelSelector = Object.entries(spec?.selector.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join();
  await scale(0, String(had));
  try {
    const untilMs = Date.now() + LIMIT_MS;
    for (;;) {
      const { items } = await core.listNamespacedPod({ namespace, labelSelector });
      if (items.length === 0) break;
      if (Date.now() > untilMs)
        throw new UserError(
          `${namespace}/${name}: ${items.length} of its pods did not end within ${LIMIT_MS / 1000} s; nothing was restored`,
        );
      await wait(LOOK_MS);
    }
    return await run();
  } finally {
    await scale(had, null);
  }
}
