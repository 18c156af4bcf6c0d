import assert from 'node:assert/strict';

/** A line of a raw file, as it is written. */
export type RawLine = Readonly<Record<string, unknown>> & { readonly kind: string };
type Bounds = { notBeforeMs: number; notAfterMs: number } | null;
export interface RawPlacement {
  readonly pod: string;
  readonly node: string;
  readonly created: Bounds;
  readonly bound: Bounds;
}

export const readRaw = (text: string): RawLine[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RawLine);

export const linesOf = <T>(lines: readonly RawLine[], kind: string): T[] =>
  lines.filter((line) => line.kind === kind) as unknown as T[];

/** The value at the nearest rank. */
function rank(values: readonly number[], percent: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}
const max = (values: readonly number[]): number | undefined => rank(values, 100);
const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : sum(values) / values.length;
const spread = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : Math.max(...values) - Math.min(...values);

/**
 * The figures of a round by their documented meaning, computed from its raw lines by nothing of what the report is made with.
 * Undefined: unknown.
 */
export function figuresFromRaw(lines: readonly RawLine[]): Record<string, number | undefined> {
  const [head] = linesOf<{ dropped: number }>(lines, 'round');
  assert.ok(head !== undefined);
  const requests = linesOf<{ outcome: string; latencyMs: number }>(lines, 'request');
  const ok = requests.filter(({ outcome }) => outcome === 'ok').map(({ latencyMs }) => latencyMs);
  const due = requests.length + head.dropped;
  const pods = linesOf<{ running: number; desired: Record<string, number> }>(lines, 'pods');
  const cpu = linesOf<{ node: string; cpuRatio: number | null }>(lines, 'cpu');
  const placements = linesOf<RawPlacement>(lines, 'placement');
  const nodes = [...new Set(cpu.map(({ node }) => node))];
  const percents = (node?: string): number[] =>
    cpu.flatMap((row) =>
      row.cpuRatio === null || (node !== undefined && row.node !== node) ? [] : 100 * row.cpuRatio,
    );
  const all = [...new Set([...nodes, ...placements.map(({ node }) => node)])];
  const timed = placements.filter(({ created, bound }) => created !== null && bound !== null);
  return {
    requests: due,
    successPercent: (100 * ok.length) / due,
    meanMs: mean(ok),
    p50Ms: rank(ok, 50),
    p95Ms: rank(ok, 95),
    p99Ms: rank(ok, 99),
    maxMs: max(ok),
    peakPods: max(pods.map(({ running }) => running)),
    peakDesired: max(pods.map(({ desired }) => sum(Object.values(desired)))),
    peakCpuPercent: max(percents()),
    cpuSpreadPoints: spread(nodes.flatMap((node) => mean(percents(node)) ?? [])),
    placements: placements.length,
    bindLeastP50Ms: rank(
      timed.map(({ created, bound }) => Math.max(0, bound!.notBeforeMs - created!.notAfterMs)),
      50,
    ),
    bindMostP50Ms: rank(
      timed.map(({ created, bound }) => bound!.notAfterMs - created!.notBeforeMs),
      50,
    ),
    placementSpread: spread(
      all.map((node) => placements.filter((one) => one.node === node).length),
    ),
  };
}
