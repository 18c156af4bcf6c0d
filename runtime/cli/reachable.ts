import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { KubeError, openKube } from './kube';

const RETRY_MS = 500;

/**
 * Waits for the API server of a kubeconfig to answer.
 * @returns false where it has not within the time, and where there is no such file.
 */
export async function waitForAnswer(kubeconfig: string, limitMs: number): Promise<boolean> {
  if (!existsSync(kubeconfig)) return false;
  const untilMs = Date.now() + limitMs;
  for (;;) {
    const leftMs = Math.max(1, untilMs - Date.now());
    const kube = await openKube(kubeconfig, leftMs);
    try {
      await kube.text('/readyz');
      return true;
    } catch (error) {
      // An answer of any kind is an answer, but for that of a server that is still starting.
      if (error instanceof KubeError && error.status < 500) return true;
    }
    if (Date.now() + RETRY_MS > untilMs) return false;
    await wait(RETRY_MS);
  }
}
