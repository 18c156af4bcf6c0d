import type { Target } from '../types';

/** What a target is chosen from. */
export interface TargetChoice {
  /** The busiest node, as last heard from Prometheus and not too old; undefined: there is none. */
  readonly wanted: string | undefined;
  /** Why there is none. */
  readonly wantedWhy: string;
  /** The target so far. */
  readonly current: string | undefined;
  /** Nodes with a fresh probe. */
  readonly freshNodes: number;
  /** How many of those have a fresh latency to this node; itself counts. */
  coverage(node: string): number;
}

/**
 * The node that latency is counted to: the busiest one, once at least half of the nodes with fresh probes have measured
 * to it. Until then the former target stays, on the same condition: probers measure to a few peers only, and need a
 * round or two for a new one. A busiest node whose prober is dead would keep every node out, so it is no target either;
 * then the median to the peers counts.
 */
export function chooseTarget(choice: TargetChoice): Target {
  const { wanted, current, freshNodes } = choice;
  if (wanted === undefined) return { node: undefined, why: choice.wantedWhy };
  const enough = (node: string): boolean => {
    const covered = choice.coverage(node);
    return covered > 0 && 2 * covered >= freshNodes;
  };
  if (enough(wanted)) return { node: wanted, why: 'it is the busiest node' };
  const missing = `${choice.coverage(wanted)} of ${freshNodes} nodes have measured to ${wanted}, the busiest`;
  return current !== undefined && current !== wanted && enough(current)
    ? { node: current, why: `it was the busiest node; only ${missing}` }
    : { node: undefined, why: `only ${missing}` };
}
