import type { Clock } from '../../shared/clock';
import type { KubeApi } from '../../shared/kubernetes/api';
import { Informer } from '../../shared/kubernetes/informer';
import type { Pod } from '../../shared/kubernetes/types';
import type { Logger } from '../../shared/log';
import type { ProberDirectory } from '../ports';

/** A pod with the address that the API server gives it. */
interface AddressedPod extends Pod {
  readonly status?: Pod['status'] & { readonly podIP?: string };
}

interface ProberPod {
  readonly uid: string;
  readonly node: string;
  /** Empty while the pod has none, or is going. */
  readonly ip: string;
  readonly createdAt: string;
}

/** Probers that the settings name. @param text node=host:port,node=host:port */
export const staticProbers = (text: string): ProberDirectory => ({
  probers: new Map(
    text
      .split(',')
      .filter((entry) => entry !== '')
      .map((entry) => {
        const at = entry.indexOf('=');
        return [entry.slice(0, at), entry.slice(at + 1)] as const;
      }),
  ),
});

/** Follows the pods of the probers: one on each node, and of two, as while one replaces the other, the newer. */
export class KubeProbers implements ProberDirectory {
  readonly #pods = new Map<string, ProberPod>();
  readonly #informer: Informer<AddressedPod, ProberPod>;
  #probers: ReadonlyMap<string, string> = new Map();

  constructor(
    api: KubeApi,
    namespace: string,
    labelSelector: string,
    private readonly port: number,
    clock: Clock,
    log: Logger,
  ) {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    this.#informer = new Informer<AddressedPod, ProberPod>(
      api,
      { path, labelSelector, project: proberPod },
      {
        set: (pod) => {
          this.#pods.set(pod.uid, pod);
          this.#index();
        },
        remove: (pod) => {
          this.#pods.delete(pod.uid);
          this.#index();
        },
      },
      clock,
      log,
    );
  }

  get probers(): ReadonlyMap<string, string> {
    return this.#probers;
  }

  get synced(): boolean {
    return this.#informer.synced;
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#informer.run(signal);
  }

  #index(): void {
    const pods = [...this.#pods.values()].filter(({ node, ip }) => node !== '' && ip !== '');
    pods.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
    this.#probers = new Map(
      pods.map(({ node, ip }) => [node, `${ip.includes(':') ? `[${ip}]` : ip}:${this.port}`]),
    );
  }
}

function proberPod({ metadata, spec, status }: AddressedPod): ProberPod {
  const running = status?.phase === 'Running' && metadata.deletionTimestamp === undefined;
  return {
    uid: metadata.uid,
    node: spec.nodeName ?? '',
    ip: running ? (status.podIP ?? '') : '',
    createdAt: metadata.creationTimestamp ?? '',
  };
}
