import assert from 'node:assert/strict';
import type { Operations } from '../../../runtime/autoscaler/operations/operations';
import type { Eviction } from '../../../runtime/shared/disruptions/types';
import { World } from './faults';
import { NOW_MS } from './support';

const NODE = 'k3s-worker-3';

async function world(): Promise<World> {
  const one = new World();
  await one.populate(3);
  for (const name of ['a', 'b']) one.docker.addPod({ node: NODE, name, ownerUid: `of-${name}` });
  return one;
}
const down = (operations: Operations) => operations.scaleDown([NODE], 'test');
const uids = ({ disruptions }: World): string[] =>
  disruptions.recorded.map(({ podUid }) => podUid).sort();
const byScheduler = (ownerUid: string, atMs: number): Eviction => ({
  ...{ podUid: 'other', pod: 'ns/other', ownerUid, node: 'k3s-worker-1', atMs },
  by: 'cpu-scheduler',
});

describe('autoscaler: the disruption budget that it shares with the cpu-scheduler', () => {
  it('records what it evicts, for others to weigh', async () => {
    const one = await world();
    await one.life([], down);
    assert.deepEqual(uids(one), ['uid-a', 'uid-b']);
    const [first] = one.disruptions.recorded;
    assert.deepEqual([first?.by, first?.node, first?.ownerUid], ['autoscaler', NODE, 'of-a']);
    assert.equal(one.docker.containers.has(NODE), false);
  });

  for (const [what, agoMs, isKept] of [
    ['keeps a node of whose pods an owner has just lost one to offloading', 599_000, true],
    ['removes it when that is long ago', 700_000, false],
  ] as const)
    it(what, async () => {
      const one = await world();
      one.disruptions.recorded = [byScheduler('of-b', NOW_MS - agoMs)];
      await one.life([], down);
      assert.equal(one.docker.containers.has(NODE), isKept);
      assert.equal((await one.docker.node(NODE))?.cordoned, isKept ? false : undefined);
      assert.equal(uids(one).includes('uid-a'), !isKept, 'none was evicted, none is on record');
      const [event] = await one.live.recentEvents(1);
      if (isKept) assert.match(event?.reason ?? '', /ns\/b lost a pod to an eviction lately/);
    });

  it('takes off the record what a budget did not let it evict', async () => {
    const one = await world();
    one.docker.addPod({ node: NODE, name: 'guarded', protected: true });
    await one.life([], down);
    assert.deepEqual(uids(one), ['uid-a', 'uid-b']);
    assert.equal((await one.docker.node(NODE))?.cordoned, false);
  });

  it('evicts nothing while the record cannot be written, and keeps the node', async () => {
    const one = await world();
    one.disruptions.change = () => Promise.reject(new Error('away'));
    await one.life([], down);
    assert.equal(one.docker.pods.size, 2);
    assert.equal((await one.docker.node(NODE))?.cordoned, false);
    const [event] = await one.live.recentEvents(1);
    assert.match(event?.reason ?? '', /drained: not in time \(last: away\)/);
  });

  it('has each eviction on record once, wherever it was killed', async () => {
    for (let at = 0; at < 40; at += 1) {
      const one = await world();
      const { how } = await one.life([{ at, what: 'kill', when: 'after' }], down);
      await one.recover();
      if (one.docker.pods.size < 2) assert.deepEqual(uids(one), ['uid-a', 'uid-b'], `at ${at}`);
      if (how === 'ended') return;
    }
    assert.fail('it was killed at each call');
  });
});
