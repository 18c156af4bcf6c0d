import type { NodeVerdict } from '../../node-availability/types';
import type { RankedVerdict } from '../types';

/**
 * Ranks the available nodes 1..n: by CPU, the least first, then by slot (one without a slot last), then by name. The
 * verdicts stay in the order in which they came.
 */
export function ranked(verdicts: readonly NodeVerdict[]): RankedVerdict[] {
  const order = verdicts.filter(({ available }) => available).sort(byCpu);
  const ranks = new Map(order.map(({ node }, index) => [node, index + 1]));
  return verdicts.map((verdict) => ({ ...verdict, rank: ranks.get(verdict.node) ?? null }));
}

function byCpu(a: NodeVerdict, b: NodeVerdict): number {
  const cpu = (a.cpuRatio ?? 1) - (b.cpuRatio ?? 1);
  if (cpu !== 0) return cpu;
  const [slotA, slotB] = [a.slot ?? Infinity, b.slot ?? Infinity];
  if (slotA !== slotB) return slotA < slotB ? -1 : 1;
  return a.node < b.node ? -1 : 1;
}
