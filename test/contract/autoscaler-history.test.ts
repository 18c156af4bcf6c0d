import assert from 'node:assert/strict';
import { MemoryHistory } from '../../runtime/autoscaler/adapters/memory-state';
import type { History } from '../../runtime/autoscaler/ports';
import type { ScalingEvent, WorkerRecord } from '../../runtime/autoscaler/types';

const event = (id: string, atMs: number): ScalingEvent => ({
  ...{ id, kind: 'scale_down', outcome: 'done', worker: 'k3s-worker-3', reason: 'r', atMs },
});
const record = (number: number): WorkerRecord => ({
  ...{ name: `k3s-worker-${number}`, number, permanent: false, status: 'ready', createdAtMs: 5 },
});

/** What every History promises. */
function contract(name: string, fresh: () => Promise<History>): void {
  describe(`autoscaler history: ${name}`, () => {
    it('has each event once, however often it is given, the latest first', async () => {
      const history = await fresh();
      await history.addEvents([event('a', 1), event('c', 3)]);
      await history.addEvents([event('a', 9), event('b', 2)]);
      await history.addEvents([]);
      const all = await history.events({ limit: 10 });
      assert.deepEqual(all, [event('c', 3), event('b', 2), event('a', 1)]);
    });

    it('gives as many as are asked for, and those from a time on', async () => {
      const history = await fresh();
      await history.addEvents([1, 2, 3, 4].map((atMs) => event(`e${atMs}`, atMs)));
      const ids = async (query: Parameters<History['events']>[0]): Promise<string> =>
        (await history.events(query)).map(({ id }) => id).join(' ');
      assert.equal(await ids({ limit: 2 }), 'e4 e3');
      assert.equal(await ids({ limit: 10, sinceMs: 3 }), 'e4 e3');
    });

    it('keeps workers by name until they are removed; one of the same name can come again', async () => {
      const history = await fresh();
      await history.putWorker(record(3));
      await history.putWorker({ ...record(3), status: 'draining' });
      assert.deepEqual(await history.workers(), [{ ...record(3), status: 'draining' }]);
      await history.removeWorker('k3s-worker-3', 7);
      await history.removeWorker('none', 7);
      assert.deepEqual(await history.workers(), []);
      await history.putWorker(record(3));
      assert.deepEqual(await history.workers(), [record(3)]);
    });
  });
}

contract('memory', () => Promise.resolve(new MemoryHistory()));
