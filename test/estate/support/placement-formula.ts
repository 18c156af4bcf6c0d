import assert from 'node:assert/strict';
import type { FilterRule } from '../../../runtime/latency-extender/types';
import type { ExplainedNode } from '../../wire/support/latency-system';
import type { Explanation } from './latency-extender';

// The numbers that the documentation promises, and not those of the code.
const CPU_WEIGHT = 0.3;
const LATENCY_WEIGHT = 0.7;
const CPU_LIMIT = 0.85;
const LATENCY_LIMIT = 0.5;
const PENALTY_FROM = 0.7;
const PENALTY = 0.15;
const FULL_SCALE_MS = 100;
const PROBE_MAX_AGE_MS = 30_000;
const EXTENDER_MAX = 10;
const EPSILON = 1e-9;

const REASONS: Readonly<Record<FilterRule, RegExp>> = {
  'no-fresh-probe': /^no fresh probe: /,
  'no-fresh-cpu': /^no fresh probe: its prober does not know its CPU$/,
  'no-fresh-latency': /^no fresh probe: its prober does not know its latency to /,
  'cpu-over-limit': /^CPU [01]\.\d{3} is over 0\.85/,
  'latency-over-limit': /^latency [01]\.\d{3} \(\d+\.\d ms\) to .+ is over 0\.5$/,
};

const cpuOf = ({ cpuRatio, placedCpuRatio }: ExplainedNode): number =>
  cpuRatio === null ? NaN : Math.min(1, cpuRatio + placedCpuRatio);

/** The rule that keeps a node out by its readings; undefined: it is in. */
export function expectedRule(node: ExplainedNode): FilterRule | undefined {
  // Of a node without a prober there are no readings at all.
  const ageMs = (node as Partial<ExplainedNode>).probeAgeMs ?? Infinity;
  if (ageMs > PROBE_MAX_AGE_MS) return 'no-fresh-probe';
  if (node.cpuRatio === null) return 'no-fresh-cpu';
  if (node.latencyMs === null) return 'no-fresh-latency';
  if (cpuOf(node) > CPU_LIMIT) return 'cpu-over-limit';
  return latencyOf(node) > LATENCY_LIMIT ? 'latency-over-limit' : undefined;
}

const latencyOf = ({ latencyMs }: ExplainedNode): number =>
  latencyMs === null ? NaN : Math.min(1, latencyMs / FULL_SCALE_MS);

/** The score (0..1) of a node that is in. */
export function expectedScore(node: ExplainedNode): number {
  const cpu = cpuOf(node);
  const penalty = cpu >= PENALTY_FROM && cpu <= CPU_LIMIT ? PENALTY : 0;
  const score = (1 - cpu) * CPU_WEIGHT + (1 - latencyOf(node)) * LATENCY_WEIGHT - penalty;
  return Math.min(1, Math.max(0, score));
}

/**
 * Compares what was answered about a pod with what follows from the readings recorded beside each node.
 * @param boundTo the node that the pod is on; undefined while it waits
 * @throws AssertionError naming the node
 */
export function assertPlacedByFormula(explanation: Explanation, boundTo: string | undefined): void {
  const { filter, prioritize } = explanation;
  assert.ok(filter, 'the extender was not asked which nodes pass');
  assert.equal(filter.nodes.length, filter.asked);
  const counts: Partial<Record<FilterRule, number>> = {};
  const passed: string[] = [];
  for (const node of filter.nodes) {
    const rule = expectedRule(node);
    const told = JSON.stringify(node);
    if (rule === undefined) {
      passed.push(node.node);
      assert.equal(node.why, undefined, told);
      continue;
    }
    counts[rule] = (counts[rule] ?? 0) + 1;
    assert.match(node.why ?? '', REASONS[rule], told);
  }
  assert.deepEqual(filter.rejected, counts);
  assert.equal(filter.passed, passed.length);
  if (boundTo === undefined) return assert.equal(passed.length, 0, 'nodes passed, but it waits');
  assert.ok(passed.includes(boundTo), `${boundTo} had not passed: ${JSON.stringify(filter)}`);
  // kube-scheduler does not ask how good the only node is.
  if (passed.length === 1) return;
  assert.ok(prioritize, 'the extender was not asked how good nodes are');
  assert.deepEqual(prioritize.nodes.map(({ node }) => node).sort(), passed.sort());
  assertRanked(prioritize.nodes, prioritize.best, boundTo);
}

/** @param nodes best first, as they were answered */
function assertRanked(nodes: readonly ExplainedNode[], best: string | null, boundTo: string): void {
  // A reading may have become too much in between.
  const inside = nodes.filter((node) => expectedRule(node) === undefined);
  const scores = inside.map(expectedScore);
  const told = JSON.stringify(nodes);
  for (const [place, node] of inside.entries()) {
    const score = scores[place] ?? NaN;
    assert.ok(
      Math.abs((node.score ?? NaN) - score) < EPSILON,
      `${node.node}, not ${score}: ${told}`,
    );
    assert.ok(
      score <= (scores[place - 1] ?? 1) + EPSILON,
      `not in the order of ${scores.join()}: ${told}`,
    );
  }
  if (inside.length === 0) return;
  const top = Math.max(...scores);
  const bests = inside.filter((_, place) => (scores[place] ?? 0) >= top - EPSILON);
  assert.ok(
    bests.some(({ node }) => node === best),
    `${best} is not the best: ${told}`,
  );
  assert.equal(boundTo, best, told);
  const tenths = (node: ExplainedNode): number => Math.round((node.score ?? 0) * EXTENDER_MAX);
  const most = Math.max(1, ...bests.map(tenths));
  for (const node of nodes)
    assert.equal(
      node.extenderScore,
      node.node === best ? most : Math.min(most - 1, tenths(node)),
      `${node.node}: ${told}`,
    );
}

/** A pod that a replica placed is counted for certain for so long, whoever else has seen it or not. */
const COUNTED_MS = 10_000;

/** Compares what was added to the CPU of nodes with the pods that the same replica had placed there moments before. */
export function assertCountsPlaced(
  explanations: readonly Explanation[],
  cores: ReadonlyMap<string, number>,
): void {
  for (const { replica, prioritize } of explanations)
    for (const { node, cpuRatio, placedCpuRatio } of prioritize?.nodes ?? []) {
      const nodeCores = cores.get(node);
      if (cpuRatio === null || nodeCores === undefined) continue;
      const before = explanations.filter((other) => {
        const agoMs = Date.parse(prioritize?.at ?? '') - Date.parse(other.prioritize?.at ?? '');
        const there = other.replica === replica && other.prioritize?.best === node;
        return there && agoMs > 0 && agoMs < COUNTED_MS;
      });
      const millis = before.reduce((sum, { pod }) => sum + (pod.cpuMillis ?? 0), 0);
      const told = `${placedCpuRatio} of ${node} does not count ${millis}m of ${nodeCores} processors`;
      assert.ok(placedCpuRatio >= millis / 1000 / nodeCores - EPSILON, told);
    }
}
