import type { V1Node } from '@kubernetes/client-node';

/** The slot (1..10) of a node, from its label; null where it has none. */
export function slotOf(node: V1Node): number | null {
  const match = /^slot-(\d+)$/.exec(node.metadata?.labels?.['posture/slot'] ?? '');
  return match ? Number(match[1]) : null;
}
