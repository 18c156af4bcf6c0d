import type { Cluster, Json, KubeObject } from '../api/cluster';

interface Event {
  type?: string;
  reason?: string;
  message?: string;
  lastTimestamp?: string;
  eventTime?: string;
  metadata: { creationTimestamp?: string };
  involvedObject: { uid?: string; kind?: string; name?: string };
}

/** Waiting reasons that are a normal part of starting. */
const NORMAL = ['ContainerCreating', 'PodInitializing'];
const MOST = 8;

/**
 * Why an object is not ready: what its pods say (unschedulable, image not pulled, crashed …) and the latest
 * warnings about it and them. Never throws: without an answer there is just less to say.
 */
export async function problems(cluster: Cluster, object: KubeObject): Promise<string[]> {
  const namespace = object.metadata.namespace;
  if (namespace === undefined) return [];
  const base = `/api/v1/namespaces/${namespace}`;
  try {
    const pods = await podsOf(cluster, base, object);
    const events = await cluster.request<{ items: Event[] }>('GET', `${base}/events`, {
      query: { fieldSelector: 'type=Warning' },
      patienceMs: 0,
    });
    const uids = [object, ...pods].map((o) => o.metadata.uid);
    const warnings = events.items.filter((event) => uids.includes(event.involvedObject.uid));
    return [...new Set([...pods.flatMap(podProblems), ...latest(warnings)])].slice(0, MOST);
  } catch {
    return [];
  }
}

async function podsOf(cluster: Cluster, base: string, object: KubeObject): Promise<KubeObject[]> {
  if (object.kind === 'Pod') return [object];
  const selector = object.spec?.selector as { matchLabels?: Record<string, string> } | undefined;
  const labels =
    object.kind === 'Service' ? (selector as Record<string, string>) : selector?.matchLabels;
  if (!labels || Object.keys(labels).length === 0) return [];
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const list = await cluster.request<{ items: KubeObject[] }>('GET', `${base}/pods`, {
    query: { labelSelector },
    patienceMs: 0,
  });
  return list.items;
}

/** What is wrong with a pod, one line each. */
export function podProblems(pod: KubeObject): string[] {
  const name = `pod ${pod.metadata.name}`;
  const conditions = (pod.status?.conditions ?? []) as Record<string, Json>[];
  const unscheduled = conditions.find((c) => c.type === 'PodScheduled' && c.status === 'False');
  const found = unscheduled
    ? [`${name}: ${String(unscheduled.reason)}: ${String(unscheduled.message)}`]
    : [];
  const statuses = [
    ...((pod.status?.initContainerStatuses ?? []) as Json[]),
    ...((pod.status?.containerStatuses ?? []) as Json[]),
  ] as unknown as ContainerStatus[];
  for (const { name: container, state, lastState } of statuses) {
    const waiting = state?.waiting;
    if (waiting && !NORMAL.includes(waiting.reason ?? '')) {
      const about = waiting.message === undefined ? '' : `: ${waiting.message}`;
      found.push(`${name}, container ${container}: ${waiting.reason ?? 'waiting'}${about}`);
    }
    const ended = state?.terminated ?? lastState?.terminated;
    if (ended && ended.exitCode !== 0) {
      const why = [ended.reason, ended.message].filter(Boolean).join(': ');
      found.push(
        `${name}, container ${container}: exited with ${ended.exitCode}${why === '' ? '' : ` (${why})`}`,
      );
    }
  }
  return found;
}

interface ContainerStatus {
  name: string;
  state?: ContainerState;
  lastState?: ContainerState;
}

interface ContainerState {
  waiting?: { reason?: string; message?: string };
  terminated?: { exitCode: number; reason?: string; message?: string };
}

/** The newest warning of each reason, newest first. */
function latest(events: readonly Event[]): string[] {
  const at = (e: Event) => e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp ?? '';
  const sorted = [...events].sort((a, b) => at(b).localeCompare(at(a)));
  const seen = new Set<string>();
  return sorted.flatMap((event) => {
    const { kind, name } = event.involvedObject;
    const key = `${kind} ${event.reason}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [`${kind?.toLowerCase()} ${name}: ${event.reason}: ${event.message}`];
  });
}
