import assert from 'node:assert/strict';
import type { MongoClient } from 'mongodb';
import { MongoDecisions } from '../../runtime/autoscaler/adapters/mongo-decisions';
import { mongoClient } from '../../runtime/autoscaler/adapters/mongo-connection';
import { rulesOf } from '../../runtime/autoscaler/policy/rules';
import { decide } from '../../runtime/autoscaler/policy/decide';
import { settings, snapshot } from '../policy/autoscaler/support';
import { createMongo, type MongoServer } from '../wire/support/mongodb';

const TIMEOUT_MS = 20_000;

describe('autoscaler decisions: MongoDB', function () {
  this.timeout(1_800_000);
  let server: MongoServer;
  let client: MongoClient;
  let databases = 0;
  before(async () => {
    server = await createMongo();
    await server.start();
    client = mongoClient({ url: server.url, timeoutMs: TIMEOUT_MS });
  });
  after(async () => {
    await client?.close();
    await server?.remove();
  });

  const fresh = (kept = 100): MongoDecisions =>
    new MongoDecisions(client.db(`decisions${(databases += 1)}`), TIMEOUT_MS, kept);
  const at = (atMs: number) => ({
    decision: decide(snapshot(), settings(), atMs),
    snapshot: `of ${atMs}`,
  });
  const times = async (
    decisions: MongoDecisions,
    query: Parameters<MongoDecisions['list']>[0],
  ): Promise<number[]> => (await decisions.list(query)).map(({ decision }) => decision.atMs);

  it('gives them back as they were, the latest first, from and before a time', async () => {
    const decisions = fresh();
    for (const atMs of [10, 30, 20, 20]) await decisions.add(at(atMs));
    assert.deepEqual(await decisions.list({ limit: 1 }), [at(30)]);
    assert.deepEqual(await times(decisions, { limit: 9 }), [30, 20, 10]);
    assert.deepEqual(await times(decisions, { limit: 9, sinceMs: 20 }), [30, 20]);
    assert.deepEqual(await times(decisions, { limit: 9, sinceMs: 10, beforeMs: 30 }), [20, 10]);
  });

  it('keeps the latest, and not many more', async () => {
    const decisions = fresh(3);
    for (let atMs = 1; atMs <= 51; atMs += 1) await decisions.add(at(atMs));
    assert.deepEqual(await times(decisions, { limit: 100 }), [51, 50, 49]);
  });

  it('writes rules down once, and again only what differs', async () => {
    const decisions = fresh();
    const changes = async (env: Record<string, string> = {}) =>
      (await decisions.initRules(rulesOf(settings(env)))).map(({ name, change }) => [name, change]);
    const all = (change: string) =>
      ['minimum', 'pending', 'usage', 'idle'].map((name) => [name, change]);
    assert.deepEqual(await changes(), all('created'));
    assert.deepEqual(await changes(), all('unchanged'));
    const third = Object.fromEntries(await changes({ SCALE_DOWN_COOLDOWN_MS: '5000' }));
    assert.deepEqual(third, { ...Object.fromEntries(all('unchanged')), idle: 'updated' });
  });
});
