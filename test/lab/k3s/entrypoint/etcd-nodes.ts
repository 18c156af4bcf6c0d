import { etcdUrl } from './control-plane';
import type { EmbeddedMember } from './embedded-etcd';
import { removeMember } from './etcd-client';
import { ApiError, type KubeClient } from './kube-client';
import { log } from './log';
import { followNodes, type NodeObject } from './nodes';
import { waitFor } from './wait-for';

const NAME = 'etcd.k3s.cattle.io/node-name';
const ADDRESS = 'etcd.k3s.cattle.io/node-address';
const REMOVE = 'etcd.k3s.cattle.io/remove';
const REMOVED = 'etcd.k3s.cattle.io/removed-node-name';
const FINALIZER = 'wrangler.cattle.io/managed-etcd-controller';

/** What a server's Node says of its member. */
export function memberMetadata({ name, address }: EmbeddedMember): object {
  return {
    labels: { 'node-role.kubernetes.io/etcd': 'true' },
    annotations: { [NAME]: name, [ADDRESS]: address },
    finalizers: [FINALIZER],
  };
}

/** What is to be done about a server's Node, and then said of it; undefined for nothing. */
export function memberStep({
  metadata,
}: NodeObject): { remove?: { name: string; address: string }; patch: object } | undefined {
  const { annotations = {}, finalizers = [], deletionTimestamp } = metadata;
  const { [NAME]: name, [ADDRESS]: address, [REMOVE]: asked, [REMOVED]: removed } = annotations;
  const member = name === undefined || address === undefined ? undefined : { name, address };
  if (deletionTimestamp !== undefined) {
    if (!finalizers.includes(FINALIZER)) return undefined;
    const rest = finalizers.filter((one) => one !== FINALIZER);
    return { ...(member && { remove: member }), patch: { finalizers: rest } };
  }
  if (asked === undefined || member === undefined) return undefined;
  if (removed !== undefined)
    return removed === name
      ? undefined
      : { patch: { annotations: { [REMOVED]: null, [REMOVE]: 'false' } } };
  if (asked.toLowerCase() !== 'true') return undefined;
  const after = { [REMOVED]: name, [NAME]: null, [ADDRESS]: null };
  return { remove: member, patch: { annotations: after } };
}

/**
 * Takes members out of etcd whose Node is deleted, or asks for it by k3s's annotation, until the signal. In k3s one of the
 * servers does; here all do, and find it done.
 */
export function keepEtcdMembers(client: KubeClient, signal: AbortSignal): void {
  void followNodes(client, signal, async (nodes) => {
    for (const [node, object] of nodes) {
      const step = memberStep(object);
      if (step === undefined) continue;
      const { remove, patch } = step;
      await waitFor(
        `${node} to leave etcd`,
        async () => {
          if (remove !== undefined) await removeMember([etcdUrl], remove.name, remove.address);
          await client.call(
            'PATCH',
            `/api/v1/nodes/${node}`,
            { metadata: patch },
            'application/merge-patch+json',
          );
        },
        { everyMs: 1000, isFinal: (error) => error instanceof ApiError && error.status === 404 },
      );
      if (remove !== undefined) log(`${remove.name} is no member of etcd any more`);
    }
  });
}
