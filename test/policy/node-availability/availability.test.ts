import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NEVER_READ, type Reading } from '../../../runtime/shared/freshness';
import { nodeVerdict, slotOf } from '../../../runtime/node-availability/availability';
import type {
  AvailabilityOptions,
  NodeRule,
  ObservedNode,
} from '../../../runtime/node-availability/types';
import { cpu, NOW_MS, observed, OPTIONS } from './support';

const taint = (effect: string) => ({ taints: [{ key: 'k', value: 'v', effect }] });

describe('node availability', () => {
  type Row = readonly [
    what: string,
    node: Partial<ObservedNode>,
    reading: Reading<number>,
    rule: NodeRule | undefined,
    options?: Partial<AvailabilityOptions>,
  ];
  const rows: readonly Row[] = [
    ['all is well', {}, cpu(0.1), undefined],
    ['no labels', { labels: {} }, cpu(0.1), 'not-eligible'],
    ['eligible=false', { labels: { 'posture/eligible': 'false' } }, cpu(0.1), 'not-eligible'],
    ['eligible=True', { labels: { 'posture/eligible': 'True' } }, cpu(0.1), 'not-eligible'],
    ['excluded', {}, cpu(0.1), 'excluded', { excluded: new Set(['n']) }],
    ['another is excluded', {}, cpu(0.1), undefined, { excluded: new Set(['m']) }],
    ['not ready', { ready: false }, cpu(0.1), 'not-ready'],
    ['cordoned', { unschedulable: true }, cpu(0.1), 'unschedulable'],
    ['a NoSchedule taint', taint('NoSchedule'), cpu(0.1), 'tainted'],
    ['a NoExecute taint', taint('NoExecute'), cpu(0.1), 'tainted'],
    ['a PreferNoSchedule taint', taint('PreferNoSchedule'), cpu(0.1), undefined],
    ['CPU never read', {}, NEVER_READ, 'cpu-unknown'],
    ['CPU as old as it may be', {}, cpu(0.1, 120_000), undefined],
    ['CPU too old', {}, cpu(0.1, 120_001), 'cpu-unknown'],
    ['CPU just below the threshold', {}, cpu(0.6999), undefined],
    ['CPU at the threshold', {}, cpu(0.7), 'over-threshold'],
    ['CPU over it', {}, cpu(1), 'over-threshold'],
    ['CPU that is no number', {}, cpu(NaN), 'over-threshold'],
  ];
  for (const [what, node, reading, rule, options] of rows) {
    it(`${what}: ${rule ?? 'available'}`, () => {
      const verdict = nodeVerdict(observed('n', node), reading, { ...OPTIONS, ...options }, NOW_MS);
      assert.equal(verdict.rule, rule);
      assert.equal(verdict.available, rule === undefined);
      assert.equal(verdict.why === undefined, rule === undefined);
    });
  }

  it('names the first rule that says no, in the order of the rules', () => {
    let node = observed('n', {
      labels: {},
      ready: false,
      unschedulable: true,
      ...taint('NoExecute'),
    });
    let options: AvailabilityOptions = { ...OPTIONS, excluded: new Set(['n']) };
    let reading = cpu(0.9, 200_000);
    const mends: readonly (readonly [NodeRule, () => void])[] = [
      ['not-eligible', () => (node = { ...node, labels: { 'posture/eligible': 'true' } })],
      ['excluded', () => (options = OPTIONS)],
      ['not-ready', () => (node = { ...node, ready: true })],
      ['unschedulable', () => (node = { ...node, unschedulable: false })],
      ['tainted', () => (node = { ...node, taints: [] })],
      ['cpu-unknown', () => (reading = cpu(0.9))],
      ['over-threshold', () => (reading = cpu(0.1))],
    ];
    for (const [rule, mend] of mends) {
      assert.equal(nodeVerdict(node, reading, options, NOW_MS).rule, rule);
      mend();
    }
    assert.equal(nodeVerdict(node, reading, options, NOW_MS).available, true);
  });

  it('shows the CPU of a node that is not available too, but never one that is too old', () => {
    const unfit = observed('n', { labels: { 'posture/slot': 'slot-3' } });
    const { slot, cpuRatio, cpuAgeMs } = nodeVerdict(unfit, cpu(0.4, 5000), OPTIONS, NOW_MS);
    assert.deepEqual({ slot, cpuRatio, cpuAgeMs }, { slot: 3, cpuRatio: 0.4, cpuAgeMs: 5000 });
    const old = nodeVerdict(unfit, cpu(0.4, 200_000), OPTIONS, NOW_MS);
    assert.deepEqual([old.cpuRatio, old.cpuAgeMs], [null, 200_000]);
    const never = nodeVerdict(unfit, NEVER_READ, OPTIONS, NOW_MS);
    assert.deepEqual([never.cpuRatio, never.cpuAgeMs], [null, null]);
  });

  it('says why CPU is unknown', () => {
    const why = (reading: Reading<number>) =>
      nodeVerdict(observed('n'), reading, OPTIONS, NOW_MS).why ?? '';
    assert.match(why({ state: 'unknown', why: 'timeout: no answer' }), /timeout: no answer/);
    assert.match(why(cpu(0.1, 200_000)), /200 s old, more than 120 s/);
  });

  const slots = { 'slot-1': 1, 'slot-10': 10, 'slot-0': null, 'slot-01': null, '3': null };
  for (const [label, slot] of Object.entries(slots)) {
    it(`posture/slot=${label} is ${slot === null ? 'no slot' : `slot ${slot}`}`, () =>
      assert.equal(slotOf({ 'posture/slot': label }), slot));
  }

  const anyNode: fc.Arbitrary<ObservedNode> = fc.record({
    name: fc.constantFrom('n', 'm'),
    labels: fc.constantFrom<Record<string, string>>({}, { 'posture/eligible': 'true' }),
    ready: fc.boolean(),
    unschedulable: fc.boolean(),
    taints: fc.constantFrom([], taint('NoSchedule').taints, taint('PreferNoSchedule').taints),
    internalIps: fc.constant([]),
    hostnames: fc.constant([]),
  });
  const anyOptions: fc.Arbitrary<AvailabilityOptions> = fc.record({
    thresholdRatio: fc.double({ min: 0.05, max: 1, noNaN: true }),
    maxAgeMs: fc.integer({ min: 1000, max: 600_000 }),
    excluded: fc.constantFrom(new Set<string>(), new Set(['m'])),
  });
  const ratio = fc.double({ min: 0, max: 1, noNaN: true });
  const age = fc.integer({ min: 0, max: 1_200_000 });

  it('more CPU, or an older reading, never turns a node available', () => {
    fc.assert(
      fc.property(anyNode, anyOptions, ratio, ratio, age, age, (node, options, a, b, c, d) => {
        const better = cpu(Math.min(a, b), Math.min(c, d));
        const worse = cpu(Math.max(a, b), Math.max(c, d));
        if (!nodeVerdict(node, worse, options, NOW_MS).available) return;
        assert.ok(nodeVerdict(node, better, options, NOW_MS).available);
      }),
      { seed: 42, numRuns: 300 },
    );
  });

  it('a node whose CPU is unknown or too old is never available', () => {
    fc.assert(
      fc.property(anyNode, anyOptions, ratio, age, (node, options, value, over) => {
        assert.equal(nodeVerdict(node, NEVER_READ, options, NOW_MS).available, false);
        const old = cpu(value, options.maxAgeMs + 1 + over);
        assert.equal(nodeVerdict(node, old, options, NOW_MS).available, false);
      }),
      { seed: 42, numRuns: 200 },
    );
  });
});
