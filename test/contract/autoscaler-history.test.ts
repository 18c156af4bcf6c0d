import assert from 'node:assert/strict';
import type { MongoClient } from 'mongodb';
import { MemoryHistory } from '../../runtime/autoscaler/adapters/memory-state';
import { mongoClient } from '../../runtime/autoscaler/adapters/mongo-connection';
import { MongoHistory } from '../../runtime/autoscaler/adapters/mongo-history';
import type { History } from '../../runtime/autoscaler/ports';
import type { ScalingEvent, WorkerRecord } from '../../runtime/autoscaler/types';
import { createMongo, type MongoServer } from '../wire/support/mongodb';

const event = (id: string, atMs: number): ScalingEvent => ({
  ...{ id, kind: 'scale_down', outcome: 'done', worker: 'k3s-worker-3', reason: 'r', atMs },
});
const record = (number: number): WorkerRecord => ({
  ...{ name: `k3s-worker-${number}`, number, permanent: false, status: 'ready', createdAtMs: 5 },
});

/** What every History promises. */
function contract(fresh: () => Promise<History>): void {
  it('has each event once, however often it is given, the latest first', async () => {
    const history = await fresh();
    await history.addEvents([event('a', 1), event('c', 3)]);
    await history.addEvents([event('a', 9), event('b', 2)]);
    await history.addEvents([]);
    const all = await history.events({ limit: 10 });
    assert.deepEqual(all, [event('c', 3), event('b', 2), event('a', 1)]);
  });

  it('has an event once that many give at the same time', async () => {
    const history = await fresh();
    const batches = Array.from({ length: 8 }, () => [event('a', 1), event('b', 2)]);
    await Promise.all(batches.map((batch) => history.addEvents(batch)));
    assert.deepEqual(await history.events({ limit: 10 }), [event('b', 2), event('a', 1)]);
  });

  it('gives as many as are asked for, and those from a time on', async () => {
    const history = await fresh();
    await history.addEvents([1, 2, 3, 4].map((atMs) => event(`e${atMs}`, atMs)));
    const ids = async (query: Parameters<History['events']>[0]): Promise<string> =>
      (await history.events(query)).map(({ id }) => id).join(' ');
    assert.equal(await ids({ limit: 2 }), 'e4 e3');
    assert.equal(await ids({ limit: 10, sinceMs: 3 }), 'e4 e3');
    assert.equal(await ids({ limit: 0 }), '');
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
}

describe('autoscaler history: memory', () => {
  contract(() => Promise.resolve(new MemoryHistory()));
});

describe('autoscaler history: MongoDB', function () {
  this.timeout(1_800_000);
  let server: MongoServer;
  let client: MongoClient;
  let databases = 0;
  const bad: string[] = [];
  const database = () => client.db(`test${databases}`);
  const fresh = (): MongoHistory => {
    databases += 1;
    return new MongoHistory(
      database(),
      60_000,
      (collection, id) => void bad.push(`${collection} ${id}`),
    );
  };
  before(async () => {
    server = await createMongo();
    await server.start();
    client = mongoClient({ url: server.url, timeoutMs: 60_000 });
  });
  after(async () => {
    await client?.close();
    await server?.remove();
  });
  contract(() => Promise.resolve(fresh()));

  it('passes over what nobody can read, and keeps what was removed with its time', async () => {
    const history = fresh();
    await history.putWorker(record(3));
    await history.removeWorker('k3s-worker-3', 7);
    await history.removeWorker('k3s-worker-3', 9);
    const stored = await database().collection<{ _id: string }>('workers').find().toArray();
    assert.deepEqual(
      stored,
      [{ _id: 'k3s-worker-3', number: 3, permanent: false, status: 'ready', createdAtMs: 5 }].map(
        (document) => ({ ...document, removedAtMs: 7 }),
      ),
    );
    await database().collection<{ _id: string }>('events').insertOne({ _id: 'broken' });
    await history.addEvents([event('a', 1)]);
    assert.deepEqual(await history.events({ limit: 5 }), [event('a', 1)]);
    assert.deepEqual(bad, ['events broken']);
  });

  it('has an index for each question', async () => {
    const history = fresh();
    await history.events({ limit: 1 });
    const keysOf = async (name: string) =>
      (await database().collection(name).indexes()).map(({ key }) => key);
    assert.deepEqual(await keysOf('events'), [{ _id: 1 }, { atMs: -1, _id: -1 }]);
    assert.deepEqual(await keysOf('workers'), [{ _id: 1 }, { removedAtMs: 1, number: 1 }]);
  });

  it('fails within its time limit while the server is away, and goes on when it is back', async () => {
    const history = fresh();
    await history.addEvents([event('a', 1)]);
    const impatient = new MongoHistory(database(), 500, () => undefined);
    await server.stop();
    await assert.rejects(impatient.addEvents([event('b', 2)]), /ECONNREFUSED|no answer within 500/);
    await server.start();
    await history.addEvents([event('a', 1), event('b', 2)]);
    assert.deepEqual(await history.events({ limit: 5 }), [event('b', 2), event('a', 1)]);
  });

  it('does not get in with a wrong password, and does not tell the right one', async () => {
    const stranger = mongoClient({ url: server.strangersUrl, timeoutMs: 60_000 });
    try {
      const history = new MongoHistory(stranger.db('test'), 60_000, () => undefined);
      await assert.rejects(history.workers(), (error: Error) => {
        assert.match(error.message, /Authentication failed/);
        return !error.message.includes('wrong');
      });
    } finally {
      await stranger.close();
    }
  });
});
