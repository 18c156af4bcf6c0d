import assert from 'node:assert/strict';
import fc from 'fast-check';
import { choose } from '../../../runtime/cpu-scheduler/policy/choose';
import { rejection } from '../../../runtime/cpu-scheduler/policy/feasible';
import type { Cluster } from '../../../runtime/cpu-scheduler/loop/cluster';
import type { PodInfo } from '../../../runtime/cpu-scheduler/types';
import { cluster, NO_CONTEXT, node, NOW_MS, pod, SETTINGS } from './support';

const decide = (one: PodInfo, view: Cluster, nowMs = NOW_MS) =>
  choose(one, view, NO_CONTEXT, SETTINGS, nowMs);
const chosen = (one: PodInfo, view: Cluster, nowMs = NOW_MS): string | undefined => {
  const decision = decide(one, view, nowMs);
  return decision.kind === 'bind' ? decision.chosen.node : undefined;
};
const message = (one: PodInfo, view: Cluster): string => {
  const decision = decide(one, view);
  assert.equal(decision.kind, 'wait');
  return decision.kind === 'wait' ? decision.message : '';
};
const preferring = (weight: number, zone: string) => ({
  weight,
  preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] },
});
const withPreferences = (...terms: ReturnType<typeof preferring>[]): PodInfo =>
  pod({
    spec: {
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: terms } },
    },
  });
const zoned = (name: string, zone: string) => node(name, { labels: { zone } });

describe('cpu-scheduler: the choice of a node', () => {
  it('is the least busy one', () => {
    assert.equal(
      chosen(
        pod(),
        cluster([
          [node('a'), 0.5],
          [node('b'), 0.2],
          [node('c'), 0.3],
        ]),
      ),
      'b',
    );
  });

  it('is the first by name where nodes are equally busy', () => {
    assert.equal(
      chosen(
        pod(),
        cluster([
          [node('c'), 0.2],
          [node('a'), 0.2],
          [node('b'), 0.2],
        ]),
      ),
      'a',
    );
  });

  it('counts what was bound since the reading', () => {
    const view = cluster([
      [node('a'), 0.2],
      [node('b'), 0.25],
    ]);
    view.assume(pod({ name: 'x', cpu: '1' }), 'a', NOW_MS);
    const decision = decide(pod(), view);
    assert.equal(decision.kind === 'bind' && decision.chosen.node, 'b');
    view.assume(pod({ name: 'y', cpu: '1' }), 'b', NOW_MS);
    assert.equal(chosen(pod(), view), 'a');
  });

  it('counts a pod without a request as the default', () => {
    const view = cluster([
      [node('a'), 0.2],
      [node('b'), 0.21],
    ]);
    view.assume(pod({ name: 'x' }), 'a', NOW_MS);
    assert.equal(view.node('a')?.unseenCpuRatio, 0.1 / 4);
    assert.equal(chosen(pod(), view), 'b');
  });

  it('counts a pod once when the watch catches up, and no more once a reading shows it', () => {
    const view = cluster([[node('a'), 0.2]]);
    const one = pod({ name: 'x', cpu: '1' });
    view.assume(one, 'a', NOW_MS);
    const spec = {
      nodeName: 'a',
      containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }],
    };
    const at = (ms: number) => new Date(NOW_MS + ms).toISOString();
    view.setBound(pod({ name: 'x', spec }), NOW_MS);
    assert.equal(view.node('a')?.requested.cpuMillis, 1000);
    assert.equal(view.node('a')?.podCount, 1);
    const running = {
      phase: 'Running',
      containerStatuses: [{ name: 'main', state: { running: { startedAt: at(2000) } } }],
    };
    view.setBound(pod({ name: 'x', spec, status: running }), NOW_MS + 3000);
    const read = (ms: number): number | undefined => {
      view.refresh(new Map([['a', { cpuRatio: 0.4, takenAtMs: NOW_MS + ms }]]), NOW_MS + ms);
      return view.node('a')?.unseenCpuRatio;
    };
    assert.equal(read(10_000), 0.25);
    assert.equal(read(20_000), 0);
    view.forget('uid-x', NOW_MS);
    assert.equal(view.node('a')?.podCount, 1, 'what the watch has shown is not forgotten');
  });

  it('forgets an assumed pod that the watch never shows', () => {
    const view = cluster([[node('a'), 0.2]]);
    view.assume(pod({ name: 'x', cpu: '1' }), 'a', NOW_MS);
    view.confirm('uid-x', NOW_MS + 60_000);
    view.refresh(new Map(), NOW_MS + 59_999);
    assert.equal(view.node('a')?.podCount, 1);
    view.refresh(new Map(), NOW_MS + 60_000);
    assert.equal(view.node('a')?.podCount, 0);
  });

  it('leaves out nodes at or above the threshold', () => {
    assert.equal(chosen(pod(), cluster([[node('a'), 0.9]])), undefined);
    assert.equal(chosen(pod(), cluster([[node('a'), 0.899]])), 'a');
    assert.equal(
      message(
        pod(),
        cluster([
          [node('a'), 0.9],
          [node('b'), 0.95],
        ]),
      ),
      '0/2 nodes are available: 2 node(s) had CPU use at or above the threshold 0.9.',
    );
  });

  it('uses the known where some readings are unknown', () => {
    assert.equal(chosen(pod(), cluster([[node('a')], [node('b'), 0.8]])), 'b');
    assert.equal(
      message(pod(), cluster([[node('a')], [node('b'), 0.95]])),
      '0/2 nodes are available: 1 node(s) had CPU use at or above the threshold 0.9, ' +
        '1 node(s) had no fresh CPU reading.',
    );
  });

  it('goes by requested CPU where no feasible node has a fresh reading', () => {
    const view = cluster([
      [node('a'), 0.1],
      [node('b'), 0.8],
    ]);
    view.assume(pod({ name: 'x', cpu: '2' }), 'a', NOW_MS);
    assert.equal(chosen(pod(), view, NOW_MS + 30_000), 'a');
    const decision = decide(pod(), view, NOW_MS + 30_001);
    assert.ok(decision.kind === 'bind');
    assert.equal(decision.chosen.node, 'b');
    assert.equal(decision.chosen.cpu.basis, 'requested');
  });

  it('says which rules exclude how many nodes, as kube-scheduler does', () => {
    const view = cluster([
      [node('a', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }), 0.1],
      [node('b', { spec: { unschedulable: true } }), 0.1],
      [node('c', { allocatable: { cpu: '1' } }), 0.1],
    ]);
    assert.equal(
      message(pod({ cpu: '2' }), view),
      '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), ' +
        '1 node(s) were unschedulable.',
    );
    assert.equal(message(pod(), cluster([])), 'no nodes available to schedule pods');
  });

  it('breaks near-ties by preferred affinity, but does not go beyond the width', () => {
    const view = (busy: number) =>
      cluster([
        [zoned('a', 'x'), 0.2],
        [zoned('b', 'y'), busy],
      ]);
    const likesY = withPreferences(preferring(10, 'y'));
    assert.equal(chosen(likesY, view(0.249)), 'b');
    assert.equal(chosen(likesY, view(0.251)), 'a');
    assert.equal(chosen(withPreferences(preferring(80, 'x'), preferring(20, 'y')), view(0.2)), 'a');
    assert.equal(
      chosen(withPreferences(preferring(20, 'x'), preferring(80, 'y')), view(0.22)),
      'b',
    );
  });
});

describe('cpu-scheduler: what holds for every choice', () => {
  const ratio = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
  const nodes = fc.array(
    fc.record({
      ratio: fc.option(ratio, { nil: undefined }),
      zone: fc.constantFrom('x', 'y'),
      ready: fc.boolean(),
      tainted: fc.boolean(),
      cpu: fc.constantFrom('1', '2', '4'),
      pods: fc.constantFrom('1', '110'),
    }),
    { maxLength: 12 },
  );
  const pods = fc.array(
    fc.record({
      cpu: fc.constantFrom('50m', '500m', '1500m', '3'),
      selector: fc.constantFrom<Record<string, string>[]>({}, { zone: 'x' }, { zone: 'y' }),
      tolerant: fc.boolean(),
      prefers: fc.constantFrom([], [preferring(5, 'x')], [preferring(5, 'x'), preferring(1, 'y')]),
    }),
    { maxLength: 20 },
  );

  it('never an infeasible node or one at the threshold, and the least rank of those that are left', () => {
    fc.assert(
      fc.property(nodes, pods, (someNodes, somePods) => {
        const view = cluster(
          someNodes.map((one, index) => [
            node(`n${index}`, {
              labels: { zone: one.zone },
              ready: one.ready,
              allocatable: { cpu: one.cpu, pods: one.pods },
              ...(one.tainted && { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }),
            }),
            one.ratio,
          ]),
        );
        for (const [index, { cpu, selector, tolerant, prefers }] of somePods.entries()) {
          const one = pod({
            name: `p${index}`,
            spec: {
              containers: [{ name: 'c', resources: { requests: { cpu } } }],
              nodeSelector: selector,
              tolerations: tolerant ? [{ operator: 'Exists' }] : [],
              affinity: {
                nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: prefers },
              },
            },
          });
          const feasible = [...view.all].filter((n) => rejection(one, n, NO_CONTEXT) === undefined);
          const known = feasible.filter((n) => n.reading.state === 'known');
          const effective = (n: (typeof feasible)[0]) =>
            (n.reading.state === 'known' ? n.reading.value : NaN) + n.unseenCpuRatio;
          const decision = decide(one, view);
          if (decision.kind === 'wait') {
            assert.ok(feasible.length === 0 || known.length > 0);
            assert.ok(known.every((n) => effective(n) >= SETTINGS.cpuThreshold));
            continue;
          }
          const { chosen: verdict } = decision;
          const target = feasible.find(({ info }) => info.name === verdict.node);
          assert.ok(target, 'infeasible');
          if (known.length > 0) {
            assert.equal(verdict.cpu.basis, 'measured');
            assert.ok(effective(target) < SETTINGS.cpuThreshold);
            for (const other of known.filter((n) => effective(n) < SETTINGS.cpuThreshold)) {
              const otherPreference = preference(prefers, other.info.labels['zone']);
              assert.ok(
                verdict.rank <=
                  effective(other) - SETTINGS.nearTieWidthRatio * otherPreference + 1e-12,
              );
            }
          }
          view.assume(one, verdict.node, NOW_MS);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('a burst of equal pods on equal nodes gives no node more than its share plus one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 120 }),
        ratio,
        (n, p, base) => {
          const view = cluster(Array.from({ length: n }, (_, i) => [node(`n${i}`), base * 0.5]));
          const counts = new Map<string, number>();
          for (let i = 0; i < p; i++) {
            const one = pod({ name: `p${i}`, cpu: '10m' });
            const name = chosen(one, view);
            if (name === undefined) break;
            view.assume(one, name, NOW_MS);
            counts.set(name, (counts.get(name) ?? 0) + 1);
          }
          const placed = [...counts.values()].reduce((sum, count) => sum + count, 0);
          assert.ok(placed === p || p > n * 4);
          assert.ok(Math.max(...counts.values()) <= Math.floor(placed / n) + 1);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('effective CPU never falls by binding, and never lies below what was measured', () => {
    fc.assert(
      fc.property(
        ratio,
        fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 10 }),
        (base, millis) => {
          const view = cluster([[node('a'), base]]);
          let before = base;
          for (const [index, amount] of millis.entries()) {
            view.assume(pod({ name: `p${index}`, cpu: `${amount}m` }), 'a', NOW_MS);
            const now = base + (view.node('a')?.unseenCpuRatio ?? NaN);
            assert.ok(now > before);
            before = now;
          }
        },
      ),
    );
  });

  it('every sum is as it was once all that was assumed is forgotten', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 20 }), (millis) => {
        const view = cluster([
          [node('a'), 0.1],
          [node('b'), 0.1],
        ]);
        const uids = millis.map((amount, index) => {
          const one = pod({ name: `p${index}`, cpu: `${amount}m` });
          view.assume(one, index % 2 === 0 ? 'a' : 'b', NOW_MS);
          return one.uid;
        });
        for (const uid of uids) view.forget(uid, NOW_MS);
        for (const one of view.all) {
          assert.deepEqual([one.podCount, one.requested.cpuMillis, one.unseenCpuRatio], [0, 0, 0]);
        }
      }),
    );
  });
});

/** The share of the weights that a zone meets, reckoned apart from the code under test. */
function preference(
  terms: readonly ReturnType<typeof preferring>[],
  zone: string | undefined,
): number {
  const total = terms.reduce((sum, { weight }) => sum + weight, 0);
  const met = terms
    .filter((term) => term.preference.matchExpressions[0]?.values[0] === zone)
    .reduce((sum, { weight }) => sum + weight, 0);
  return total === 0 ? 0 : met / total;
}
