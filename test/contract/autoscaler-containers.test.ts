import assert from 'node:assert/strict';
import { MemoryWorld } from '../../runtime/autoscaler/adapters/memory-world';
import { ContainerTaken, type Containers } from '../../runtime/autoscaler/ports';

/** What every Containers promises. */
function contract(name: string, fresh: () => Promise<Containers>): void {
  describe(`autoscaler containers: ${name}`, () => {
    const NAME = 'k3s-worker-901';

    it('makes a container once for an operation, however often it is asked', async () => {
      const containers = await fresh();
      await containers.create(NAME, 'op');
      const [first] = await containers.list();
      await containers.create(NAME, 'op');
      const all = await containers.list();
      assert.deepEqual(all, [first]);
      assert.deepEqual([first?.name, first?.operation, first?.running], [NAME, 'op', true]);
    });

    it('does not touch one that another operation made', async () => {
      const containers = await fresh();
      await containers.create(NAME, 'op');
      const before = await containers.list();
      await assert.rejects(containers.create(NAME, 'other'), ContainerTaken);
      assert.deepEqual(await containers.list(), before);
    });

    it('removes one, and does not mind when it is gone', async () => {
      const containers = await fresh();
      await containers.create(NAME, 'op');
      await containers.remove(NAME);
      await containers.remove(NAME);
      assert.deepEqual(await containers.list(), []);
      await containers.create(NAME, 'other');
      assert.equal((await containers.list())[0]?.operation, 'other');
    });
  });
}

contract('memory', () => Promise.resolve(new MemoryWorld()));
