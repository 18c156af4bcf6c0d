/** Round trips to be simulated, in milliseconds, by `asking node/answering node`; the order does not matter. */
export type SimulatedLatencies = ReadonlyMap<string, number>;

const ENTRY = /^([^/=\s]+)\/([^/=\s]+)=(\d+(?:\.\d+)?)$/;
const MAX_MS = 10_000;

// Reads `node-1/node-2=40,node-1/*=5`: what the echo adds to a round trip between two nodes; * stands for any node.
// Empty text is none. Throws an Error that names the entry which cannot be read, and what one looks like.
export function parseSimulatedLatencies(text: string): SimulatedLatencies {
  const latencies = new Map<string, number>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const [, one, other, delay] = ENTRY.exec(entry) ?? [];
    const delayMs = Number(delay);
    if (one === undefined || other === undefined || !(delayMs <= MAX_MS))
      throw new Error(
        `${JSON.stringify(entry)} is not NODE/NODE=MILLISECONDS (0 to ${MAX_MS}; * stands for any node)`,
      );
    latencies.set(pair(one, other), delayMs);
  }
  return latencies;
}

/**
 * What the echo adds between these two nodes: the entry of the pair, else the larger one of either with any, else that
 * of any with any, else nothing.
 */
export function simulatedDelayMs(
  latencies: SimulatedLatencies,
  one: string,
  other: string,
): number {
  const exact = latencies.get(pair(one, other));
  if (exact !== undefined) return exact;
  const half = [latencies.get(pair(one, '*')), latencies.get(pair(other, '*'))];
  const known = half.filter((value) => value !== undefined);
  return known.length > 0 ? Math.max(...known) : (latencies.get(pair('*', '*')) ?? 0);
}

const pair = (one: string, other: string): string =>
  one < other ? `${one}/${other}` : `${other}/${one}`;
