import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ObservedNode } from '../../../runtime/node-availability/types';
import { labelPatches } from '../../../runtime/node-controller/policy/labels';
import { ranked } from '../../../runtime/node-controller/policy/rank';
import { observed } from '../node-availability/support';
import { verdict } from './support';

const OFF = { manageEligible: false, excluded: new Set<string>() };
const ON = { ...OFF, manageEligible: true };

describe('node controller: ranks', () => {
  it('are by CPU, then by slot, then by name; a node without a slot comes last', () => {
    const rows = ranked([
      verdict('e', { cpuRatio: 0.2 }),
      verdict('d', { cpuRatio: 0.2 }),
      verdict('c', { cpuRatio: 0.2, slot: 2 }),
      verdict('b', { cpuRatio: 0.2, slot: 1 }),
      verdict('a', { cpuRatio: 0.1, slot: 9 }),
      verdict('x', { available: false, cpuRatio: 0, rule: 'not-ready' }),
    ]);
    assert.deepEqual(
      rows.map(({ node, rank }) => [node, rank]),
      [
        ['e', 5],
        ['d', 4],
        ['c', 3],
        ['b', 2],
        ['a', 1],
        ['x', null],
      ],
    );
  });

  const any = fc.uniqueArray(
    fc.record({
      node: fc.string({ minLength: 1, maxLength: 4 }),
      available: fc.boolean(),
      slot: fc.option(fc.integer({ min: 1, max: 3 })),
      cpuRatio: fc.constantFrom(0, 0.1, 0.5),
    }),
    { selector: ({ node }) => node, maxLength: 12 },
  );

  it('are 1..n on the available nodes and nowhere else, and do not depend on the order of the nodes', () => {
    fc.assert(
      fc.property(any, (rows) => {
        const all = ranked(rows.map(({ node, ...rest }) => verdict(node, rest)));
        const ranks = all.flatMap(({ rank }) => (rank === null ? [] : [rank]));
        const count = rows.filter(({ available }) => available).length;
        assert.deepEqual(
          ranks.sort((a, b) => a - b),
          Array.from({ length: count }, (_, index) => index + 1),
        );
        for (const { available, rank } of all) assert.equal(rank !== null, available);
        const turned = ranked([...rows].reverse().map(({ node, ...rest }) => verdict(node, rest)));
        const asText = (some: typeof all) => some.map(({ node, rank }) => `${node} ${rank}`).sort();
        assert.deepEqual(asText(turned), asText(all));
      }),
      { seed: 42, numRuns: 200 },
    );
  });
});

describe('node controller: labels', () => {
  const withLabels = (name: string, labels: Record<string, string>, more: object = {}) =>
    observed(name, { labels: { 'posture/eligible': 'true', ...labels }, ...more });
  const patch = (node: ObservedNode, rank: number | null, options = OFF) =>
    labelPatches([node], [{ ...verdict(node.name), rank }], options)[0]?.labels;

  const rows: readonly [string, ObservedNode, number | null, object | undefined][] = [
    ['sets a rank', withLabels('n', {}), 2, { 'posture/rank': '2' }],
    ['changes a rank', withLabels('n', { 'posture/rank': '1' }), 2, { 'posture/rank': '2' }],
    ['leaves a rank that is right', withLabels('n', { 'posture/rank': '2' }), 2, undefined],
    ['takes a rank off', withLabels('n', { 'posture/rank': '2' }), null, { 'posture/rank': null }],
    ['leaves a node without a rank', withLabels('n', {}), null, undefined],
    [
      'leaves eligibility',
      observed('n', { labels: { 'posture/slot': 'slot-1' } }),
      null,
      undefined,
    ],
  ];
  for (const [what, node, rank, labels] of rows)
    it(what, () => assert.deepEqual(patch(node, rank), labels));

  it('takes the rank off a node of which there is no verdict', () => {
    const [first] = labelPatches([withLabels('n', { 'posture/rank': '1' })], [], OFF);
    assert.deepEqual(first, { node: 'n', labels: { 'posture/rank': null } });
  });

  const slotted = (labels: Record<string, string>, more: Partial<ObservedNode> = {}) =>
    observed('n', { labels: { 'posture/slot': 'slot-1', ...labels }, ...more });
  const mine = { 'posture/eligible': 'true' };
  const off = { 'posture/eligible': null };
  const repelled = { taints: [{ key: 'k', effect: 'NoSchedule' }] };
  const managed: readonly [string, ObservedNode, object | undefined][] = [
    ['makes a fit node with a slot eligible', slotted({}), mine],
    ['leaves one that is eligible', slotted(mine), undefined],
    ['takes it off a node that is not ready', slotted(mine, { ready: false }), off],
    ['takes it off a cordoned node', slotted(mine, { unschedulable: true }), off],
    ['takes it off a tainted node', slotted(mine, repelled), off],
    ['leaves an unfit node that is not eligible', slotted({}, repelled), undefined],
    ['leaves an operator’s no', slotted({ 'posture/eligible': 'false' }), undefined],
    ['leaves a node without a slot', observed('n', { ready: false }), undefined],
  ];
  for (const [what, node, labels] of managed)
    it(`where eligibility is managed: ${what}`, () =>
      assert.deepEqual(patch(node, null, ON), labels));

  it('where eligibility is managed: takes it off an excluded node', () => {
    const options = { ...ON, excluded: new Set(['n']) };
    assert.deepEqual(patch(slotted(mine), null, options), off);
  });

  it('once patched, needs no patch', () => {
    const node = fc.record({
      labels: fc.dictionary(
        fc.constantFrom('posture/eligible', 'posture/slot', 'posture/rank', 'other'),
        fc.constantFrom('true', 'false', 'slot-1', '1', '2'),
      ),
      ready: fc.boolean(),
      rank: fc.option(fc.integer({ min: 1, max: 3 })),
      manageEligible: fc.boolean(),
    });
    fc.assert(
      fc.property(node, ({ labels, ready, rank, manageEligible }) => {
        const options = { ...OFF, manageEligible };
        const before = observed('n', { labels, ready });
        const changes = { ...labels, ...patch(before, rank, options) };
        const entries = Object.entries(changes).filter(([, value]) => value !== null);
        const after = Object.fromEntries(entries) as Record<string, string>;
        assert.equal(patch(observed('n', { labels: after, ready }), rank, options), undefined);
        assert.equal(after['other'], labels['other']);
      }),
      { seed: 42, numRuns: 200 },
    );
  });
});
