import assert from 'node:assert/strict';
import type { Clock } from '../../runtime/shared/clock';
import { LeaseDisruptions } from '../../runtime/shared/disruptions/lease-disruptions';
import { MemoryDisruptions } from '../../runtime/shared/disruptions/memory-disruptions';
import {
  KEPT,
  KEPT_MS,
  lostLately,
  type Disruptions,
  type Eviction,
} from '../../runtime/shared/disruptions/types';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { kubeLeaseStore, MemoryLeaseStore } from '../../runtime/shared/kubernetes/lease-store';
import { startControlPlane, type ControlPlane } from '../wire/support/control-plane';
import { apiOf, createNamespace } from '../wire/support/kube';

const NOW_MS = 1_767_268_800_000;
const clock: Clock = {
  nowMs: () => NOW_MS,
  monotonicMs: () => 0,
  sleep: () => Promise.resolve(),
};

const eviction = (podUid: string, more: Partial<Eviction> = {}): Eviction => ({
  ...{ podUid, pod: `ns/${podUid}`, ownerUid: 'owner', node: 'n', atMs: NOW_MS, by: 'test' },
  ...more,
});
const uids = (evictions: readonly Eviction[]): string =>
  evictions.map(({ podUid }) => podUid).join(' ');

/** What every Disruptions promises; `fresh` gives an empty record as two services see it. */
function contract(fresh: () => Promise<readonly [Disruptions, Disruptions]>): void {
  it('shows to each what the other has recorded', async () => {
    const [one, other] = await fresh();
    assert.deepEqual(await one.read(), []);
    assert.equal(uids(await one.change((now) => [...now, eviction('a')])), 'a');
    await other.change((now) => [...now, eviction('b', { by: 'other', ownerUid: '' })]);
    assert.deepEqual(await one.read(), [
      eviction('a'),
      eviction('b', { by: 'other', ownerUid: '' }),
    ]);
    await other.change((now) => now.filter(({ podUid }) => podUid !== 'a'));
    assert.equal(uids(await one.read()), 'b');
  });

  it('loses nothing of what both write at the same time', async () => {
    const [one, other] = await fresh();
    const all = Array.from({ length: 8 }, (_, index) => `uid-${index}`);
    await Promise.all(
      all.map((uid, index) =>
        (index % 2 === 0 ? one : other).change((now) => [...now, eviction(uid)]),
      ),
    );
    assert.deepEqual((await one.read()).map(({ podUid }) => podUid).sort(), all);
  });

  it('is as it was when the change is refused', async () => {
    const [one] = await fresh();
    await one.change((now) => [...now, eviction('a')]);
    const refuse = (): never => {
      throw new Error('not now');
    };
    await assert.rejects(one.change(refuse), /not now/);
    await one.change((now) => now);
    assert.equal(uids(await one.read()), 'a');
  });

  it('keeps a day, and of that the latest', async () => {
    const [one] = await fresh();
    const old = [
      eviction('old', { atMs: NOW_MS - KEPT_MS }),
      eviction('young', { atMs: NOW_MS - KEPT_MS + 1 }),
    ];
    assert.equal(uids(await one.change(() => old)), 'young');
    const many = Array.from({ length: KEPT + 5 }, (_, index) => eviction(`uid-${index}`));
    assert.equal((await one.change(() => many)).length, KEPT);
    const seen = await one.read();
    assert.deepEqual([seen.length, seen[0]?.podUid], [KEPT, 'uid-5']);
  });
}

describe('Disruptions in memory', () =>
  contract(async () => {
    const record = new MemoryDisruptions(clock);
    return [record, record];
  }));

describe('Disruptions in a Lease', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let api: KubeApi;
  let made = 0;
  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    plane = await startControlPlane();
    api = await apiOf(plane.kubeconfig);
    await createNamespace(api, 'work');
  });
  after(async () => {
    await api?.close();
    await plane?.stop();
  });

  const of = (name: string): Disruptions =>
    new LeaseDisruptions(kubeLeaseStore(api, 'work', name), clock, 60_000);
  contract(async () => {
    made += 1;
    return [of(`lease-${made}`), of(`lease-${made}`)];
  });
});

describe('a record of evictions that nobody can read', () => {
  it('is not taken for an empty one', async () => {
    const store = new MemoryLeaseStore();
    const annotations = { 'berth.dev/evictions': '[{"podUid":1}]' };
    await store.write({ annotations, spec: {} });
    const record = new LeaseDisruptions(store, clock, 1000);
    await assert.rejects(record.read(), /berth.dev\/evictions cannot be read/);
    await assert.rejects(record.change(() => []));
    assert.deepEqual((await store.read())?.metadata.annotations, annotations);
  });
});

describe('whether a pod, or one of its controller, was lost lately', () => {
  const recorded = [eviction('a'), eviction('bare', { ownerUid: '' })];
  const cases: readonly [string, Pick<Eviction, 'podUid' | 'ownerUid'>, number, boolean][] = [
    ['the same pod', { podUid: 'a', ownerUid: 'x' }, 999, true],
    ['of the same controller', { podUid: 'b', ownerUid: 'owner' }, 999, true],
    ['as long ago as asked for', { podUid: 'a', ownerUid: 'owner' }, 1000, false],
    ['two without a controller', { podUid: 'b', ownerUid: '' }, 0, false],
  ];
  for (const [what, pod, agoMs, expected] of cases)
    it(`${what}: ${expected}`, () =>
      assert.equal(lostLately(recorded, pod, 1000, NOW_MS + agoMs), expected));
});
