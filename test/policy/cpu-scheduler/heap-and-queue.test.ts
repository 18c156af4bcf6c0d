import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PendingQueue } from '../../../runtime/cpu-scheduler/loop/queue';
import { Heap } from '../../../runtime/cpu-scheduler/policy/heap';
import { pod } from './support';

interface Item {
  readonly name: number;
  key: number;
}
const before = (a: Item, b: Item) => a.key < b.key || (a.key === b.key && a.name < b.name);
const inOrder = (items: Iterable<Item>) => [...items].sort((a, b) => (before(a, b) ? -1 : 1));

describe('cpu-scheduler: the heap', () => {
  it('walks in order, whatever was added, moved, taken out and rebuilt', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), name: fc.nat(30), key: fc.nat(10) }),
      fc.record({ do: fc.constant('delete' as const), name: fc.nat(30), key: fc.constant(0) }),
      fc.record({ do: fc.constant('rebuild' as const), name: fc.nat(30), key: fc.nat(10) }),
      fc.record({ do: fc.constant('pop' as const), name: fc.constant(0), key: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const heap = new Heap<Item>(before);
        const items = new Map<number, Item>();
        for (const { do: what, name, key } of steps) {
          const item = items.get(name) ?? { name, key };
          if (what === 'set') {
            item.key = key;
            items.set(name, item);
            heap.set(item);
          } else if (what === 'delete') {
            items.delete(name);
            heap.delete(item);
          } else if (what === 'pop') {
            const first = heap.pop();
            assert.equal(first, inOrder(items.values())[0]);
            if (first !== undefined) items.delete(first.name);
          } else {
            for (const one of items.values()) one.key = (one.key * 7 + key) % 11;
            heap.rebuild();
          }
          assert.equal(heap.size, items.size);
          assert.deepEqual([...heap.ascending()], inOrder(items.values()));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('cpu-scheduler: the queue', () => {
  const queue = () => new PendingQueue({ backoffMinMs: 1000, backoffMaxMs: 4000 });
  const named = (name: string, priority = 0) => pod({ name, spec: { priority } });

  it('gives higher priority first, then first come', () => {
    const made = queue();
    for (const one of [named('a'), named('b', 5), named('c'), named('d', 5)]) made.set(one);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => made.next()?.name),
      ['b', 'd', 'a', 'c'],
    );
    assert.equal(made.next(), undefined);
  });

  it('waits longer after each try, up to the longest', () => {
    const made = queue();
    made.set(named('a'));
    let nowMs = 0;
    const waits = [1, 2, 3, 4].map(() => {
      made.next();
      made.retry('uid-a', nowMs);
      const dueMs = made.wake(nowMs, 0) ?? NaN;
      const waited = dueMs - nowMs;
      nowMs = dueMs;
      made.wake(nowMs, 0);
      return waited;
    });
    assert.deepEqual(waits, [1000, 2000, 4000, 4000]);
  });

  it('lets a pod that fitted nowhere wait until there may be room, but not for ever', () => {
    const made = queue();
    made.set(named('a'));
    made.next();
    made.retry('uid-a', 0, { roomVersion: 7 });
    made.wake(5000, 7);
    assert.equal(made.next(), undefined);
    made.wake(5000, 8);
    assert.equal(made.next()?.name, 'a');
    made.retry('uid-a', 5000, { roomVersion: 8 });
    made.wake(5000 + 2000 + 60_000, 8);
    assert.equal(made.next()?.name, 'a');
  });

  it('tries a waiting pod at once when what it needs has changed', () => {
    const made = queue();
    made.set(named('a'));
    made.next();
    made.retry('uid-a', 0, { roomVersion: 1 });
    made.set(pod({ name: 'a', metadata: { labels: { same: 'needs' } } }));
    assert.equal(made.next(), undefined);
    made.set(pod({ name: 'a', cpu: '1' }));
    assert.equal(made.next()?.name, 'a');
  });

  it('forgets a pod that is gone, wherever it was', () => {
    const made = queue();
    for (const name of ['active', 'out', 'waiting']) made.set(named(name));
    made.remove('uid-active');
    for (const name of ['out', 'waiting']) assert.equal(made.next()?.name, name);
    made.retry('uid-waiting', 0);
    made.remove('uid-out');
    made.remove('uid-waiting');
    made.retry('uid-out', 0);
    assert.equal(made.size, 0);
    assert.equal(made.wake(1e9, 1e9), undefined);
  });
});
