import { setTimeout as delay } from 'node:timers/promises';
import { errorText, log } from './log';
import { run } from './run';
import type { KubeClient } from './kube-client';

/** As much of a Node object as routing needs. */
export interface NodeObject {
  metadata: {
    name: string;
    resourceVersion?: string;
    deletionTimestamp?: string;
    finalizers?: string[];
    annotations?: Record<string, string>;
  };
  spec?: { podCIDR?: string };
  status?: { addresses?: { type: string; address: string }[] };
}
interface NodeList {
  metadata: { resourceVersion: string };
  items: NodeObject[];
}

/** Marks routes as ours in the kernel's table. */
const protocol = '76';

/** The routes that a node needs: each other node's pod range by that node's address. */
export function wantedRoutes(nodes: Iterable<NodeObject>, self: string): Map<string, string> {
  const routes = new Map<string, string>();
  for (const { metadata, spec, status } of nodes) {
    const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    if (metadata.name !== self && spec?.podCIDR && address) routes.set(spec.podCIDR, address);
  }
  return routes;
}

async function applyRoutes(
  present: Map<string, string>,
  wanted: Map<string, string>,
): Promise<void> {
  for (const [range, via] of wanted) {
    if (present.get(range) === via) continue;
    await run('ip', ['route', 'replace', range, 'via', via, 'proto', protocol]);
    present.set(range, via);
    log(`route ${range} via ${via}`);
  }
  for (const range of present.keys()) {
    if (wanted.has(range)) continue;
    await run('ip', ['route', 'del', range, 'proto', protocol]).catch(() => undefined);
    present.delete(range);
    log(`route ${range} removed`);
  }
}

/**
 * Follows the cluster's nodes until the signal: list, then watch, then again.
 * @param onChange gets all nodes after each change; calls do not overlap, and the last state is never skipped.
 */
export async function followNodes(
  client: KubeClient,
  signal: AbortSignal,
  onChange: (nodes: ReadonlyMap<string, NodeObject>) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const list = await client.call<NodeList>('GET', '/api/v1/nodes');
      const nodes = new Map(list.items.map((node) => [node.metadata.name, node]));
      let pending = Promise.resolve();
      let queued = false;
      const changed = (): void => {
        if (queued) return;
        queued = true;
        pending = pending
          .then(() => ((queued = false), onChange(nodes)))
          .catch((error: unknown) => log(`nodes: ${errorText(error)}`));
      };
      changed();
      const query = `watch=1&resourceVersion=${list.metadata.resourceVersion}&timeoutSeconds=300`;
      await client.watch<NodeObject>(
        `/api/v1/nodes?${query}`,
        ({ type, object }) => {
          if (type === 'DELETED') nodes.delete(object.metadata.name);
          else if (type === 'ADDED' || type === 'MODIFIED') nodes.set(object.metadata.name, object);
          else if (type === 'ERROR') throw new Error('watch expired');
          changed();
        },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return;
      log(`nodes: ${errorText(error)}`);
      await delay(1_000, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Keeps the routes to other nodes' pods as the nodes come and go; returns its step for followNodes. */
export function routeKeeper(
  self: string,
): (nodes: ReadonlyMap<string, NodeObject>) => Promise<void> {
  const present = new Map<string, string>();
  return (nodes) => applyRoutes(present, wantedRoutes(nodes.values(), self));
}

/** Hides pods' addresses from all that is not of the cluster, so that answers find their way back. */
export async function masquerade(podCidr: string, clusterCidr: string): Promise<void> {
  const rule = ['POSTROUTING', '-s', podCidr, '!', '-d', clusterCidr, '-j', 'MASQUERADE'];
  await run('iptables', ['-w', '-t', 'nat', '-C', ...rule]).catch(() =>
    run('iptables', ['-w', '-t', 'nat', '-A', ...rule]),
  );
}
