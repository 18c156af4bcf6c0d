import type { Informer, KubernetesObject } from '@kubernetes/client-node';

const RESTART_MS = 500;

/** Starts an informer anew when its connection has ended with an error, as it does now and then. */
export function startAnewOnError<T extends KubernetesObject>(
  informer: Informer<T>,
  stopped: () => boolean,
): void {
  informer.on('error', () => {
    if (!stopped()) setTimeout(() => void informer.start(), RESTART_MS);
  });
}
