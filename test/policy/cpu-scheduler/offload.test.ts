import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Cluster } from '../../../runtime/cpu-scheduler/loop/cluster';
import { leftNodesOf } from '../../../runtime/cpu-scheduler/policy/left-nodes';
import { offload } from '../../../runtime/cpu-scheduler/policy/offload';
import type { Eviction, PodInfo } from '../../../runtime/cpu-scheduler/types';
import { cluster, node, NOW_MS, pod, SETTINGS } from './support';

const MINUTE = 60_000;

/** A pod that the scheduler placed and that has run for ten minutes, unless said otherwise. */
const running = (name: string, on: string, more: Partial<PodInfo> = {}): PodInfo => ({
  ...pod({ name, cpu: '400m' }),
  nodeName: on,
  phase: 'Running',
  placedHere: true,
  startedAtMs: NOW_MS - 10 * MINUTE,
  boundAtMs: NOW_MS - 10 * MINUTE,
  owner: { kind: 'Job', name: `job-${name}`, uid: `job-${name}` },
  ...more,
});

/** Two readings of each node, ten seconds apart. */
function withReadings(
  ratios: Record<string, readonly [number?, number?]>,
  pods: PodInfo[],
): Cluster {
  const view = cluster(Object.keys(ratios).map((name) => [node(name)]));
  for (const one of pods) view.setBound(one, NOW_MS);
  for (const at of [0, 1] as const) {
    const takenAtMs = NOW_MS - (at === 0 ? 10_000 : 0);
    const readings = Object.entries(ratios).flatMap(([name, pair]) => {
      const cpuRatio = pair[at];
      return cpuRatio === undefined ? [] : [[name, { cpuRatio, takenAtMs }] as const];
    });
    view.refresh(new Map(readings), NOW_MS);
  }
  return view;
}

const look = (
  view: Cluster,
  options: { evictions?: Eviction[]; spared?: string[]; settings?: Partial<typeof SETTINGS> } = {},
) =>
  offload(
    {
      nodes: [...view.all],
      evictions: options.evictions ?? [],
      keepAways: [],
      spared: new Set(options.spared),
    },
    { ...SETTINGS, ...options.settings },
    NOW_MS,
  );
const names = (decisions: ReturnType<typeof look>) =>
  decisions.map((one) => `${one.pod.name}: ${one.node} -> ${one.target}`);

const HOT = { hot: [0.95, 0.95], cool: [0.1, 0.1] } as const;
const evicted = (more: Partial<Eviction>): Eviction => ({
  ...{ podUid: 'other', pod: 'ns/other', ownerUid: 'other', node: 'elsewhere' },
  by: 'test',
  atMs: NOW_MS - MINUTE,
  ...more,
});

describe('cpu-scheduler: offloading', () => {
  it('takes the youngest pod from a hot node to one with room', () => {
    const view = withReadings(HOT, [
      running('old', 'hot'),
      running('young', 'hot', { startedAtMs: NOW_MS - 2 * MINUTE }),
    ]);
    assert.deepEqual(names(look(view)), ['young: hot -> cool']);
  });

  const idle: readonly [string, Record<string, readonly [number?, number?]>][] = [
    ['the node was hot for one reading only', { hot: [0.5, 0.95], cool: [0.1, 0.1] }],
    ['the node has cooled down', { hot: [0.95, 0.89], cool: [0.1, 0.1] }],
    ['there is but one reading', { hot: [undefined, 0.95], cool: [0.1, 0.1] }],
    ['there is none', { hot: [], cool: [0.1, 0.1] }],
    ['all other nodes are as hot', { hot: [0.95, 0.95], cool: [0.95, 0.95] }],
    ['the pod would bring the other to the threshold', { hot: [0.95, 0.95], cool: [0.81, 0.81] }],
    ['nothing is known of the other', { hot: [0.95, 0.95], cool: [] }],
  ];
  for (const [why, ratios] of idle) {
    it(`evicts nothing while ${why}`, () => {
      assert.deepEqual(look(withReadings(ratios, [running('a', 'hot')])), []);
    });
  }

  const spared: readonly [string, Partial<PodInfo>][] = [
    ['another scheduler placed', { placedHere: false }],
    ['no Job owns', { owner: { kind: 'ReplicaSet', name: 'r', uid: 'r' } }],
    ['nobody owns', { owner: undefined }],
    ['is younger than the minimum age', { startedAtMs: NOW_MS - MINUTE + 1 }],
    ['has not started', { startedAtMs: undefined, phase: 'Pending' }],
    ['is being deleted', { deleting: true }],
    ['fits on no other node', { nodeSelector: { only: 'hot' } }],
  ];
  for (const [what, more] of spared) {
    it(`leaves a pod that ${what}`, () => {
      assert.deepEqual(look(withReadings(HOT, [running('a', 'hot', more)])), []);
    });
  }

  it('waits for two readings after an eviction before it takes another from that node', () => {
    const view = withReadings(HOT, [running('a', 'hot')]);
    const at = (ms: number) => [evicted({ node: 'hot', atMs: NOW_MS - ms })];
    assert.equal(look(view, { evictions: at(9_000) }).length, 0);
    assert.equal(look(view, { evictions: at(10_001) }).length, 1);
  });

  it('evicts nothing of the same Job, and no pod, twice within the cooldown', () => {
    const view = withReadings(HOT, [running('a', 'hot')]);
    const within = { atMs: NOW_MS - 10 * MINUTE + 1 };
    const after = { atMs: NOW_MS - 10 * MINUTE };
    assert.equal(look(view, { evictions: [evicted({ ...within, ownerUid: 'job-a' })] }).length, 0);
    assert.equal(look(view, { evictions: [evicted({ ...within, podUid: 'uid-a' })] }).length, 0);
    assert.equal(look(view, { evictions: [evicted({ ...after, ownerUid: 'job-a' })] }).length, 1);
  });

  it('takes another pod where a disruption budget protects the youngest', () => {
    const view = withReadings(HOT, [
      running('old', 'hot'),
      running('young', 'hot', { startedAtMs: NOW_MS - 2 * MINUTE }),
    ]);
    assert.deepEqual(names(look(view, { spared: ['uid-young'] })), ['old: hot -> cool']);
  });

  it('keeps the room of one decision from the next', () => {
    const ratios = { hot1: [0.95, 0.95], hot2: [0.94, 0.94], cool: [0.75, 0.75] } as const;
    const view = withReadings(ratios, [running('a', 'hot1'), running('b', 'hot2')]);
    assert.deepEqual(names(look(view)), ['a: hot1 -> cool']);
  });

  it('keeps every promise for any cluster', () => {
    const ratio = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
    const nodeOf = fc.tuple(fc.constantFrom(0.95, 0.5, 0.1), ratio);
    const podOf = fc.record({
      on: fc.nat(4),
      job: fc.nat(3),
      minutes: fc.nat(5),
      placedHere: fc.boolean(),
    });
    const past = fc.array(fc.record({ job: fc.nat(3), minutes: fc.nat(15), on: fc.nat(4) }));
    const limits = fc.record({
      offloadMaxPerCycle: fc.nat(4),
      offloadMaxPerNode: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(nodeOf, { minLength: 5, maxLength: 5 }),
        fc.array(podOf, { maxLength: 15 }),
        past,
        limits,
        (ratios, pods, evictions, settings) => {
          const named = Object.fromEntries(
            ratios.map(([a, b], index) => [
              `n${index}`,
              [a, a === 0.95 ? Math.max(b, 0.9) : b] as const,
            ]),
          );
          const view = withReadings(
            named,
            pods.map((one, index) =>
              running(`p${index}`, `n${one.on}`, {
                placedHere: one.placedHere,
                startedAtMs: NOW_MS - one.minutes * MINUTE,
                owner: { kind: 'Job', name: 'j', uid: `j${one.job}` },
              }),
            ),
          );
          const recent = evictions.map((one) =>
            evicted({
              ownerUid: `j${one.job}`,
              node: `n${one.on}`,
              atMs: NOW_MS - one.minutes * MINUTE,
            }),
          );
          const decisions = look(view, { evictions: recent, settings });
          assert.ok(decisions.length <= settings.offloadMaxPerCycle);
          const owners = decisions.map((one) => one.pod.owner?.uid);
          assert.equal(new Set(owners).size, owners.length, 'one Job loses two pods');
          for (const one of decisions) {
            const from = named[one.node] ?? [0, 0];
            assert.ok(from[0] >= 0.9 && from[1] >= 0.9, 'not hot');
            assert.ok(one.pod.placedHere);
            assert.ok(NOW_MS - (one.pod.startedAtMs ?? NOW_MS) >= SETTINGS.offloadMinAgeMs);
            assert.notEqual(one.target, one.node);
            const load = decisions.filter(({ target }) => target === one.target).length * 0.1;
            assert.ok((named[one.target]?.[1] ?? 1) + load < 0.9 + 1e-9, 'target too full');
            for (const old of recent.filter(({ ownerUid }) => ownerUid === one.pod.owner?.uid)) {
              assert.ok(NOW_MS - old.atMs >= SETTINGS.offloadCooldownMs, 'evicted twice');
            }
            const perNode = decisions.filter((other) => other.node === one.node).length;
            assert.ok(perNode <= settings.offloadMaxPerNode);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('cpu-scheduler: where the replacement of an evicted pod must not go', () => {
  const atMs = NOW_MS - MINUTE + 400;
  const evictions = [evicted({ ownerUid: 'job-a', node: 'hot', atMs })];
  const rows: readonly [string, Partial<PodInfo>, string[]][] = [
    ['made after the eviction', { createdAtMs: NOW_MS }, ['hot']],
    ['made in the same second', { createdAtMs: NOW_MS - MINUTE }, ['hot']],
    ['made before', { createdAtMs: NOW_MS - 2 * MINUTE }, []],
    ['of another Job', { createdAtMs: NOW_MS, owner: { kind: 'Job', name: 'b', uid: 'b' } }, []],
    ['of nobody', { createdAtMs: NOW_MS, owner: undefined }, []],
  ];
  for (const [what, more, left] of rows) {
    it(`a pod ${what}: ${left.join() || 'anywhere'}`, () => {
      const one = running('a', 'x', more);
      assert.deepEqual([...leftNodesOf(one, evictions, 10 * MINUTE, NOW_MS)], left);
    });
  }

  it('only until the time is over', () => {
    const one = running('a', 'x', { createdAtMs: NOW_MS });
    assert.equal(leftNodesOf(one, evictions, 10 * MINUTE, atMs + 10 * MINUTE - 1).size, 1);
    assert.equal(leftNodesOf(one, evictions, 10 * MINUTE, atMs + 10 * MINUTE).size, 0);
  });
});
