import assert from 'node:assert/strict';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Redis } from 'ioredis';
import { Binary, Double, Int32, Long, MongoClient, ObjectId } from 'mongodb';
import { createBackup, openBackup, type Backup } from '../../runtime/cli/backup/folder';
import * as parts from '../../runtime/cli/backup/parts';
import { createMongo, type MongoServer } from './support/mongodb';
import { createRedis, type RedisServer } from './support/redis';

/** Servers on the loopback are reached straight, without any cluster. */
const NO_CLUSTER = new KubeConfig();
const say = () => undefined;

describe('a backup of real stores', function () {
  this.timeout(1_800_000);
  let redisServer: RedisServer;
  let mongoServer: MongoServer;
  let redis: Redis;
  let mongo: MongoClient;
  let folder: string;
  let count = 0;

  before(async function () {
    this.timeout(3_600_000);
    folder = await mkdtemp(path.join(tmpdir(), 'berth-backup-'));
    [redisServer, mongoServer] = await Promise.all([createRedis(), createMongo()]);
    await Promise.all([redisServer.start(), mongoServer.start()]);
    redis = new Redis(redisServer.url);
    mongo = new MongoClient(mongoServer.url);
  });
  after(async () => {
    redis?.disconnect();
    await mongo?.close();
    await redisServer?.remove();
    await mongoServer?.remove();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await redis.flushall();
    for (const { name } of (await mongo.db().admin().listDatabases()).databases)
      if (name !== 'admin') await mongo.db(name).dropDatabase();
  });

  /** Takes both stores' backup. */
  const take = async (): Promise<{ readonly to: string; readonly backup: Backup }> => {
    count += 1;
    const to = path.join(folder, String(count));
    const writer = await createBackup(to);
    await parts.backUpRedis(NO_CLUSTER, redisServer.url, writer, say);
    await parts.backUpMongo(NO_CLUSTER, mongoServer.url, writer, say);
    await writer.finish('dev', new Date(), ['redis', 'mongodb']);
    return { to, backup: await openBackup(to) };
  };
  const restoreRedis = (backup: Backup) =>
    parts.restoreRedisPart(NO_CLUSTER, redisServer.url, backup, say);
  const restoreMongo = (backup: Backup) =>
    parts.restoreMongoPart(NO_CLUSTER, mongoServer.url, backup, say);
  /** All that Redis has, as Redis serializes it; a moment's length of life aside. */
  const redisState = async () => {
    const names = (await redis.keys('*')).sort();
    return Promise.all(
      names.map(async (name) => [
        name,
        (await redis.dumpBuffer(name))?.toString('hex'),
        await redis.call('PEXPIRETIME', name),
      ]),
    );
  };

  it('gives Redis back every kind of value, and when it goes', async () => {
    await redis.set('text', 'quay');
    await redis.set(Buffer.from([0, 255, 10]), Buffer.from([13, 0, 200]));
    await redis.hset('autoscaler:workers', { 'k3s-worker-3': '{"status":"Ready"}' });
    await redis.rpush('list', 'a', 'b', 'a');
    await redis.zadd('ranks', 1.5, 'x', -2, 'y');
    await redis.sadd('set', '1', '2');
    await redis.xadd('stream', '1-1', 'field', 'value');
    await redis.set('soon', 'x', 'PX', 86_400_000);
    const before = await redisState();
    const { backup } = await take();
    await redis.flushall();
    await redis.set('stray', 'since then');
    await restoreRedis(backup);
    const since = await redisState();
    const expiry = (state: typeof before) =>
      Number(state.find(([name]) => name === 'soon')?.[2] ?? 0);
    assert.ok(Math.abs(expiry(since) - expiry(before)) <= 1, `${expiry(since)}`);
    const still = (state: typeof before) => state.map(([name, value]) => [name, value]);
    assert.deepEqual(still(since), still(before));
  });

  it('leaves Redis as it is where a value of the backup is not one', async () => {
    await redis.set('text', 'quay');
    const { backup } = await take();
    await redis.set('text', 'changed');
    const value = Buffer.from('no dump of Redis').toString('base64');
    const broken = `${JSON.stringify({ key: 'dGV4dA==', value })}\n`;
    const wrong: Backup = {
      ...backup,
      read: async function* () {
        yield Buffer.from(broken);
      },
    };
    await assert.rejects(restoreRedis(wrong), /DUMP payload/);
    assert.equal(await redis.get('text'), 'changed');
    assert.deepEqual(await redis.keys('*'), ['text']);
  });

  it('gives MongoDB back every document byte for byte, and its indexes', async () => {
    const events = mongo.db('autoscaler').collection<{ _id: string | number | ObjectId }>('events');
    await events.insertMany([
      { _id: 'one', at: new Date(1_700_000_000_123), tags: ['a', null, true] },
      { _id: 2, int: new Int32(7), long: Long.fromString('9007199254740993'), half: 0.5 },
      { _id: new ObjectId(), whole: new Double(3), bytes: new Binary(Buffer.from([0, 1, 255])) },
    ] as never[]);
    await events.createIndex({ at: -1 }, { name: 'latest' });
    await events.createIndex({ int: 1 }, { name: 'single', unique: true, sparse: false });
    const many = Array.from({ length: 450 }, (_, n) => ({ n, text: 'x'.repeat(n) }));
    await mongo.db('autoscaler').collection('decisions').insertMany(many);
    await mongo.db('other').createCollection('empty');
    const state = async () => {
      const found: Record<string, unknown> = {};
      for (const [database, name] of [
        ['autoscaler', 'events'],
        ['autoscaler', 'decisions'],
        ['other', 'empty'],
      ] as const) {
        const collection = mongo.db(database).collection(name);
        const documents = await collection.find({}, { raw: true }).toArray();
        const indexes = await collection.listIndexes().toArray();
        found[name] = {
          documents: documents.map((one) => (one as unknown as Buffer).toString('hex')).sort(),
          indexes: indexes.map(({ key, name: index, unique }) => ({ key, index, unique })),
        };
      }
      return found;
    };
    const before = await state();
    const { backup } = await take();
    await mongo.db('autoscaler').dropDatabase();
    await mongo.db('other').dropDatabase();
    await events.insertOne({ _id: 'since then' });
    await restoreMongo(backup);
    assert.deepEqual(await state(), before);
    await restoreMongo(backup);
    assert.deepEqual(await state(), before);
  });

  it('knows what is in the way', async () => {
    await redis.set('text', 'quay');
    await mongo.db('autoscaler').collection('events').insertOne({ a: 1 });
    const { backup } = await take();
    const empty = async () => [
      await parts.isEmptyRedis(NO_CLUSTER, redisServer.url),
      await parts.isEmptyMongoPart(NO_CLUSTER, mongoServer.url, backup),
    ];
    assert.deepEqual(await empty(), [false, false]);
    await redis.flushall();
    await mongo.db('autoscaler').dropDatabase();
    assert.deepEqual(await empty(), [true, true]);
  });

  it('says who does not answer, and no password', async () => {
    const wrong = redisServer.url.replace(':secret@', ':hushhush@');
    const failed = async (work: Promise<unknown>) =>
      work.then(
        () => assert.fail('it answered'),
        (error: Error) => error.message,
      );
    const said = await failed(parts.isEmptyRedis(NO_CLUSTER, wrong));
    assert.match(said, /^Redis does not answer: .*WRONGPASS/);
    assert.ok(!said.includes('hushhush'));
    const { backup } = await take();
    const mongoSaid = await failed(
      parts.isEmptyMongoPart(NO_CLUSTER, mongoServer.strangersUrl, backup),
    );
    assert.match(mongoSaid, /^MongoDB does not answer: .*[Aa]uthentication/);
  });

  describe('its folder', () => {
    beforeEach(async () => {
      await redis.set('text', 'quay');
      await mongo.db('autoscaler').collection('events').insertOne({ a: 1 });
    });

    it('has nothing that others may read', async () => {
      const { to, backup } = await take();
      const names = await readdir(to, { recursive: true });
      assert.ok(names.includes('backup.json') && names.includes('redis.jsonl'), names.join());
      for (const name of ['.', ...names]) {
        const found = await stat(path.join(to, name));
        assert.equal(found.mode & 0o777, found.isDirectory() ? 0o700 : 0o600, name);
      }
      assert.equal(
        backup.manifest.files.length,
        names.filter((name) => /\.\w+$/.test(name)).length - 1,
      );
    });

    it('is never written over, and is not there before it is whole', async () => {
      const { to } = await take();
      await assert.rejects(createBackup(to), /is not empty, and a backup is never written over/);
      const next = path.join(folder, 'discarded');
      const writer = await createBackup(next);
      await writer.add('redis', 'redis.jsonl', [Buffer.from('x')]);
      await assert.rejects(openBackup(next), /is no backup: it has no backup\.json/);
      await writer.discard();
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name.startsWith('discarded')),
        [],
      );
      const empty = path.join(folder, 'empty');
      await mkdir(empty);
      const into = await createBackup(empty);
      await into.finish('dev', new Date(), ['redis']);
      assert.deepEqual(await readdir(empty), ['backup.json']);
    });

    it('is refused whole where a file was changed, cut off or lost', async () => {
      const { to } = await take();
      await appendFile(path.join(to, 'redis.jsonl'), ' ');
      await rm(path.join(to, 'mongodb/autoscaler/events.metadata.json'));
      const documents = path.join(to, 'mongodb/autoscaler/events.bson');
      const content = await readFile(documents);
      content[content.length - 2] = 1;
      await writeFile(documents, content);
      await assert.rejects(openBackup(to), (error: Error) => {
        assert.match(error.message, /nothing was restored/);
        assert.match(error.message, /redis\.jsonl: has \d+ bytes, and had \d+/);
        assert.match(error.message, /events\.metadata\.json: is missing/);
        assert.match(error.message, /events\.bson: has another sha256 than it had/);
        return true;
      });
    });

    it('is refused where its manifest leads out of it', async () => {
      const { to, backup } = await take();
      const [file] = backup.manifest.files;
      const manifest = { ...backup.manifest, files: [{ ...file, path: '../../etc/passwd' }] };
      await writeFile(path.join(to, 'backup.json'), JSON.stringify(manifest));
      await assert.rejects(openBackup(to), /backup\.json: files\.0\.path: must stay in the folder/);
    });
  });
});
