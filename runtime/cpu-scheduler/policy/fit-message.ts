/**
 * The text of a FailedScheduling event, as kube-scheduler writes it: how many nodes each reason excludes, in the
 * order of the texts.
 */
export function fitMessage(nodeCount: number, reasons: Readonly<Record<string, number>>): string {
  if (nodeCount === 0) return 'no nodes available to schedule pods';
  const parts = Object.entries(reasons)
    .map(([reason, count]) => `${count} ${reason}`)
    .sort();
  return `0/${nodeCount} nodes are available: ${parts.join(', ')}.`;
}

/** The same for a pod that no node is even asked about. */
export function unhandledMessage(nodeCount: number, needs: readonly string[]): string {
  return `0/${nodeCount} nodes are available: cpu-scheduler does not handle ${needs.join(', ')}.`;
}
