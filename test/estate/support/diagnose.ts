import type { V1Pod } from '@kubernetes/client-node';
import {
  AUTOSCALER_NAME,
  CPU_SCHEDULER_NAME,
  LATENCY_EXTENDER_NAME,
  LATENCY_SCHEDULER_NAME,
} from '../../../components/plan';
import { SYSTEM, type EstateCluster } from './cluster';

/** What decides where pods go. */
const LOGGED = [CPU_SCHEDULER_NAME, LATENCY_SCHEDULER_NAME, LATENCY_EXTENDER_NAME, AUTOSCALER_NAME];

/** What one wants to know of an estate when a test on it has failed, line by line. */
export async function diagnose(cluster: EstateCluster): Promise<string[]> {
  const parts = await Promise.all([
    part('nodes', () => nodes(cluster)),
    part('pods', () => pods(cluster)),
    part('events', () => events(cluster)),
    ...LOGGED.map((name) => part(name, () => log(cluster, name))),
  ]);
  return parts.flat();
}

async function part(title: string, tell: () => Promise<string[]>): Promise<string[]> {
  const lines = await tell().catch((error: unknown) => [`cannot be read: ${String(error)}`]);
  return [`-- ${title}`, ...lines];
}

async function nodes({ core }: EstateCluster): Promise<string[]> {
  const { items } = await core.listNode();
  return items.map(({ metadata, spec, status }) => {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
    const cordoned = spec?.unschedulable === true ? ' cordoned' : '';
    const labels = Object.entries(metadata?.labels ?? {}).filter(([key]) =>
      key.includes('posture'),
    );
    return `${metadata?.name} Ready=${ready}${cordoned} ${labels.map((one) => one.join('=')).join(' ')}`;
  });
}

async function pods({ core }: EstateCluster): Promise<string[]> {
  const { items } = await core.listPodForAllNamespaces();
  return items.map(podLine);
}

function podLine({ metadata, spec, status }: V1Pod): string {
  const containers = status?.containerStatuses ?? [];
  const restarts = containers.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const waiting = containers.flatMap(({ state }) => state?.waiting?.reason ?? []);
  return [
    `${metadata?.namespace}/${metadata?.name}`,
    status?.phase,
    spec?.nodeName ?? 'no node',
    ...(restarts > 0 ? [`${restarts} restarts`] : []),
    ...waiting,
  ].join('  ');
}

async function events({ core }: EstateCluster): Promise<string[]> {
  const { items } = await core.listEventForAllNamespaces();
  const atMs = (event: (typeof items)[number]): number =>
    new Date(event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? 0).getTime();
  return items
    .filter(({ type, reason }) => type === 'Warning' || reason === 'Scheduled')
    .sort((a, b) => atMs(a) - atMs(b))
    .slice(-60)
    .map(
      (event) =>
        `${new Date(atMs(event)).toISOString()} ${event.reason} ` +
        `${event.involvedObject.namespace}/${event.involvedObject.name}: ${event.message}`,
    );
}

async function log(cluster: EstateCluster, name: string): Promise<string[]> {
  const found = await cluster.pods(SYSTEM, `app.kubernetes.io/name=${name}`);
  const logs = await Promise.all(
    found.map(({ metadata }) =>
      cluster.core.readNamespacedPodLog({
        name: metadata?.name ?? '',
        namespace: SYSTEM,
        tailLines: 60,
      }),
    ),
  );
  return logs.flatMap((text) => text.split('\n')).filter((line) => line !== '');
}
