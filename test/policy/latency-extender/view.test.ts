import assert from 'node:assert/strict';
import { reasonOf } from '../../../runtime/latency-extender/policy/reason';
import { chooseTarget } from '../../../runtime/latency-extender/policy/target';
import { viewOf } from '../../../runtime/latency-extender/policy/view';
import type { FilterRule, ProbedNode } from '../../../runtime/latency-extender/types';
import { NOW_MS, probed, scores, SETTINGS } from './support';

const TO_BUSY = { target: 'busy', alone: false };
const view = (
  node: ProbedNode,
  around: { target?: string; alone: boolean } = TO_BUSY,
  placed = 0,
) => viewOf(node, placed, { target: around.target, alone: around.alone }, SETTINGS, NOW_MS);

describe('latency-extender: what keeps a node out', () => {
  const never: ProbedNode = { node: 'a', reading: undefined, failure: 'no answer within 2000 ms' };
  const old = (ageMs: number) => probed(scores('a', 0.1, { busy: 5 }), ageMs);
  const table: [string, ProbedNode, FilterRule | undefined, RegExp | undefined][] = [
    ['nothing', probed(scores('a', 0.1, { busy: 5 })), undefined, undefined],
    ['CPU at the limit does not', probed(scores('a', 0.85, { busy: 5 })), undefined, undefined],
    [
      'CPU over the limit',
      probed(scores('a', 0.851, { busy: 5 })),
      'cpu-over-limit',
      /^CPU 0.851 is over 0.85$/,
    ],
    ['latency at the limit does not', probed(scores('a', 0.1, { busy: 50 })), undefined, undefined],
    [
      'latency over the limit',
      probed(scores('a', 0.1, { busy: 62 })),
      'latency-over-limit',
      /^latency 0.620 \(62.0 ms\) to busy is over 0.5$/,
    ],
    ['CPU comes before latency', probed(scores('a', 0.9, { busy: 90 })), 'cpu-over-limit', /^CPU/],
    [
      'no answer yet',
      never,
      'no-fresh-probe',
      /^no fresh probe: none yet \(no answer within 2000 ms\)$/,
    ],
    ['an answer as old as may be does not', old(30_000), undefined, undefined],
    ['an older answer', old(30_001), 'no-fresh-probe', /^no fresh probe: the last is 30.0 s old$/],
    [
      'unknown CPU',
      probed(scores('a', null, { busy: 5 })),
      'no-fresh-cpu',
      /does not know its CPU/,
    ],
    ['unknown latency', probed(scores('a', 0.1, { c: 5 })), 'no-fresh-latency', /latency to busy/],
  ];
  for (const [name, node, rule, reason] of table)
    it(name, () => {
      const seen = view(node);
      assert.equal(seen.rule, rule);
      assert.equal(seen.score === null, rule !== undefined);
      const why = reasonOf(seen, 'busy', SETTINGS);
      if (reason === undefined) assert.equal(why, undefined);
      else assert.match(why ?? '', reason);
    });

  it('takes no reading for fresh whose own age and that of the answer are too much together', () => {
    const said = scores('a', 0.1, { busy: 5 });
    const stale = { ...said, cpu: said.cpu && { ...said.cpu, ageMs: 20_000 } };
    assert.equal(view(probed(stale, 10_000)).rule, undefined);
    assert.equal(view(probed(stale, 10_001)).rule, 'no-fresh-cpu');
  });

  it('takes unknown for null, never for zero', () => {
    const { cpuRatio, effectiveCpuRatio, latencyMs, latencyRatio, score } = view(never);
    assert.deepEqual(
      [cpuRatio, effectiveCpuRatio, latencyMs, latencyRatio, score],
      [null, null, null, null, null],
    );
  });

  it('counts what was placed just now', () => {
    const node = probed(scores('a', 0.8, { busy: 5 }));
    assert.equal(view(node, TO_BUSY, 0.04).rule, undefined);
    const over = view(node, TO_BUSY, 0.06);
    assert.equal(over.rule, 'cpu-over-limit');
    assert.match(
      reasonOf(over, 'busy', SETTINGS) ?? '',
      /CPU 0.860 is over 0.85, 0.060 of it placed/,
    );
    assert.equal(view(node, TO_BUSY, 5).effectiveCpuRatio, 1);
  });
});

describe('latency-extender: where latency is counted to', () => {
  it('is 0 for the busiest node itself', () => {
    const seen = view(probed(scores('busy', 0.2, {})));
    assert.deepEqual([seen.latencyMs, seen.latencyBasis], [0, 'target']);
  });

  it('is the median where there is no target, and 0 only where there is no other node', () => {
    const node = probed(scores('a', 0.2, { x: 40 }));
    const seen = view(node, { alone: false });
    assert.deepEqual([seen.latencyMs, seen.latencyBasis], [40, 'median']);
    const lonely = probed(scores('a', 0.2));
    assert.equal(view(lonely, { alone: false }).rule, 'no-fresh-latency');
    assert.deepEqual(view(lonely, { alone: true }).latencyBasis, 'only-node');
  });

  it('is not fooled by a node that is named like a part of every object', () => {
    const seen = view(probed(scores('a', 0.2, { x: 4 })), { target: 'constructor', alone: false });
    assert.equal(seen.rule, 'no-fresh-latency');
  });

  const choose = (
    wanted: string | undefined,
    current: string | undefined,
    covered: Readonly<Record<string, number>>,
    freshNodes = 10,
  ) =>
    chooseTarget({
      wanted,
      wantedWhy: 'no node has traffic',
      current,
      freshNodes,
      coverage: (node) => covered[node] ?? 0,
    });

  it('is the busiest node as soon as half of the nodes have measured to it', () => {
    assert.equal(choose('b', undefined, { b: 5 }).node, 'b');
    assert.equal(choose('b', 'a', { a: 10, b: 5 }).node, 'b');
  });

  it('is the former one until then', () => {
    const { node, why } = choose('b', 'a', { a: 9, b: 4 });
    assert.equal(node, 'a');
    assert.match(why, /4 of 10 nodes have measured to b/);
  });

  it('is none where neither is measured to, as when the prober of the busiest node is dead', () => {
    assert.equal(choose('b', 'a', { a: 4, b: 4 }).node, undefined);
    assert.equal(choose('b', 'b', { b: 1 }).node, undefined);
    assert.equal(choose('b', 'b', {}, 0).node, undefined);
  });

  it('is none where nobody has traffic, and says so', () => {
    assert.deepEqual(choose(undefined, 'a', { a: 10 }), {
      node: undefined,
      why: 'no node has traffic',
    });
  });
});
