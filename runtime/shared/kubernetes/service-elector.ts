import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../clock';
import type { Logger } from '../log';
import type { SettingsOf } from '../settings';
import type { leaseSettings } from '../service-settings';
import type { KubeApi } from './api';
import { LeaderElector } from './leader';
import { kubeLeaseStore } from './lease-store';

/** An elector of a service's replicas, as its settings say, and the name that this one holds the Lease under. */
export function serviceElector(
  api: KubeApi,
  settings: SettingsOf<ReturnType<typeof leaseSettings>>,
  handlers: ConstructorParameters<typeof LeaderElector>[2],
  clock: Clock,
  log: Logger,
): { readonly elector: LeaderElector; readonly identity: string } {
  // Unique to this process: a container started again must not take its dead predecessor's Lease for its own.
  const identity = `${settings.podName || hostname()}_${randomBytes(4).toString('hex')}`;
  const elector = new LeaderElector(
    kubeLeaseStore(api, settings.leaseNamespace, settings.leaseName),
    {
      identity,
      leaseDurationMs: settings.leaseDurationMs,
      renewDeadlineMs: settings.leaseRenewDeadlineMs,
      retryMs: settings.leaseRetryMs,
    },
    handlers,
    clock,
    log,
  );
  return { elector, identity };
}
