import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decide } from '../../../runtime/autoscaler/policy/decide';
import type { Decision, Snapshot } from '../../../runtime/autoscaler/types';
import { bound, NOW_MS, settings, snapshot, worker } from './support';

const of = (view: Snapshot, env: Record<string, string> = {}): Decision =>
  decide(view, settings(env), NOW_MS);
const gone = (view: Snapshot, env?: Record<string, string>): readonly string[] => {
  const decision = of(view, env);
  return decision.kind === 'down' ? decision.nodes : [];
};
const keptWhy = (view: Snapshot): string =>
  of(view)
    .evidence.kept.map(({ why }) => why)
    .join();
const filler = (on: number, cpu: string) => bound(`filler-${on}`, on, { cpu });
const app = { labels: { app: 'a' } };
const apart = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'a' } } },
      ],
    },
  },
};

describe('autoscaler: which node may go', () => {
  it('one whose pods fit on the others', () => {
    const pods = [bound('a', 3, { cpu: '2' }), filler(1, '3'), filler(2, '2')];
    assert.deepEqual(gone(snapshot({ pods })), ['k3s-worker-3']);
  });

  it('not one whose pods fit nowhere, though the sum of the room would do', () => {
    const pods = [bound('a', 3, { cpu: '2' }), filler(1, '3'), filler(2, '3')];
    assert.deepEqual(gone(snapshot({ pods })), []);
    assert.match(keptWhy(snapshot({ pods })), /ns\/a fits on no other node/);
  });

  it('not one whose pods fit one by one, but not together', () => {
    const pods = [
      bound('a', 3, { cpu: '2' }),
      bound('b', 3, { cpu: '2' }),
      filler(1, '2'),
      filler(2, '3'),
    ];
    assert.deepEqual(gone(snapshot({ pods })), []);
  });

  it('the one before it when the last has to stay', () => {
    const pods = [bound('a', 4, { owner: null })];
    const decision = of(snapshot({ workers: [1, 2, 3, 4], pods }));
    assert.deepEqual(decision.kind === 'down' && decision.nodes, ['k3s-worker-3']);
    assert.match(decision.evidence.kept[0]?.why ?? '', /ns\/a has no controller/);
  });

  it('one with a pod without a controller, if the setting says so', () => {
    const pods = [bound('a', 3, { owner: null })];
    assert.deepEqual(gone(snapshot({ pods }), { EVICT_BARE_PODS: 'true' }), ['k3s-worker-3']);
  });

  it('DaemonSet pods go with their node', () => {
    const pods = [bound('a', 3, { owner: 'DaemonSet', cpu: '3' }), filler(1, '3'), filler(2, '3')];
    assert.deepEqual(gone(snapshot({ pods })), ['k3s-worker-3']);
  });

  it('not one whose pod selects it', () => {
    const pods = [bound('a', 3, { spec: { nodeSelector: { disk: 'ssd' } } })];
    assert.deepEqual(
      gone(snapshot({ workers: [1, 2, worker(3, { labels: { disk: 'ssd' } })], pods })),
      [],
    );
  });

  it('not to tainted, cordoned or unready nodes', () => {
    for (const options of [
      { spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } },
      { spec: { unschedulable: true } },
      { ready: false },
    ]) {
      const workers = [worker(1, options), worker(2, options), 3];
      assert.deepEqual(gone(snapshot({ workers, pods: [bound('a', 3)] })), []);
      assert.deepEqual(gone(snapshot({ workers, pods: [] })), ['k3s-worker-3']);
    }
  });

  it('not where its pods must stay apart: by their own word, by that of others, or among themselves', () => {
    const own = bound('a', 3, { metadata: app, spec: apart });
    const plain = (name: string, on: number) => bound(name, on, { metadata: app });
    const strict = (name: string, on: number) => bound(name, on, { metadata: app, spec: apart });
    assert.deepEqual(gone(snapshot({ pods: [own, plain('b', 1), plain('c', 2)] })), []);
    assert.deepEqual(gone(snapshot({ pods: [own, plain('b', 1)] })), ['k3s-worker-3']);
    assert.deepEqual(gone(snapshot({ pods: [plain('a', 3), strict('b', 1), strict('c', 2)] })), []);
    assert.deepEqual(gone(snapshot({ pods: [plain('a', 3), strict('b', 1)] })), ['k3s-worker-3']);
    const large = bound('large', 3, { cpu: '200m' });
    const later = [large, plain('a', 3), strict('b', 1), strict('c', 2)];
    assert.deepEqual(gone(snapshot({ pods: later })), [], 'for each of its pods');
    const workers = [1, 2, 3, 4];
    const both = [strict('a', 4), strict('b', 3), strict('c', 1)];
    assert.deepEqual(gone(snapshot({ workers, pods: both }), { MAX_SCALE_DOWN: '2' }), [
      'k3s-worker-4',
    ]);
  });

  it('not where a volume may tie a pod to its node', () => {
    const spec = { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] };
    assert.match(keptWhy(snapshot({ pods: [bound('a', 3, { spec })] })), /volume "v"/);
  });

  it('not while a PodDisruptionBudget forbids it; one budget holds for all nodes together', () => {
    const pods = [bound('a', 3, { metadata: app }), bound('b', 4, { metadata: app })];
    const budget = (disruptionsAllowed: number) => ({
      ...{ namespace: 'ns', name: 'pdb', selector: { matchLabels: { app: 'a' } } },
      disruptionsAllowed,
    });
    const with4 = (allowed: number) =>
      snapshot({ workers: [1, 2, 3, 4], pods, budgets: [budget(allowed)] });
    const env = { MAX_SCALE_DOWN: '2' };
    assert.deepEqual(gone(with4(0), env), []);
    assert.match(keptWhy(with4(0)), /PodDisruptionBudget ns\/pdb protects/);
    assert.deepEqual(gone(with4(1), env), ['k3s-worker-4']);
    assert.deepEqual(gone(with4(2), env), ['k3s-worker-4', 'k3s-worker-3']);
    const other = { ...budget(0), namespace: 'other' };
    assert.equal(gone(snapshot({ pods, workers: [1, 2, 3, 4], budgets: [other] }), env).length, 2);
  });

  it('not while an owner of its pods has lost one lately', () => {
    const eviction = (atMs: number) => ({
      ...{ podUid: 'x', pod: 'ns/x', ownerUid: 'ReplicaSet-uid', node: 'k3s-worker-1' },
      ...{ atMs, by: 'cpu-scheduler' },
    });
    const pods = [bound('a', 3)];
    assert.deepEqual(gone(snapshot({ pods, evictions: [eviction(NOW_MS - 599_000)] })), []);
    assert.deepEqual(gone(snapshot({ pods, evictions: [eviction(NOW_MS - 600_000)] })), [
      'k3s-worker-3',
    ]);
  });

  it('not while nobody knows what was evicted lately, unless nothing is to be', () => {
    const pods = [bound('a', 3)];
    assert.deepEqual(gone(snapshot({ pods, evictions: undefined })), []);
    assert.match(keptWhy(snapshot({ pods, evictions: undefined })), /record of evictions/);
    assert.deepEqual(gone(snapshot({ evictions: undefined })), ['k3s-worker-3']);
  });

  it('what it promises can be done: the pods of the nodes that go fit on those that stay', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 30 })), {
          maxLength: 24,
        }),
        (loads) => {
          const pods = loads.map(([on, tenths], index) =>
            bound(`p${index}`, on, { cpu: `${tenths * 100}m` }),
          );
          const workers = [1, 2, 3, 4, 5, 6];
          const nodes = gone(snapshot({ workers, pods }), { MAX_SCALE_DOWN: '3' });
          const staying = workers.filter((n) => !nodes.includes(`k3s-worker-${n}`));
          const free = new Map(staying.map((n) => [n, 4000]));
          for (const one of pods) {
            const on = Number(one.nodeName?.slice('k3s-worker-'.length));
            if (free.has(on)) free.set(on, (free.get(on) ?? 0) - one.requests.cpuMillis);
          }
          const moving = pods
            .filter((one) => nodes.includes(one.nodeName ?? ''))
            .map((one) => one.requests.cpuMillis);
          assert.ok(packs(moving, [...free.values()]), `${moving} into ${[...free.values()]}`);
        },
      ),
      { seed: 42, numRuns: 150 },
    );
  });
});

/** Whether amounts fit into rooms, by trying everything. */
function packs([first, ...rest]: number[], rooms: number[]): boolean {
  if (first === undefined) return true;
  return rooms.some(
    (room, index) =>
      room >= first &&
      packs(
        rest,
        rooms.map((each, i) => (i === index ? each - first : each)),
      ),
  );
}
