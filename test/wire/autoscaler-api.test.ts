import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AutoscalerStores } from './support/autoscaler-stores';
import { AutoscalerSystem, TOKEN } from './support/autoscaler-system';
import { hostileRequests, type OpenApi } from './support/hostile-requests';
import { eventually } from './support/kube';
import { sendRaw } from './support/raw-http';
import type { RunningService } from './support/running-service';

const REQUESTS = 500;
const WORKERS = ['k3s-worker-1', 'k3s-worker-2', 'k3s-worker-3'];
const KEY = 'the-key-of-the-test';
/** Asks for one more than there may be, once the first is carried out. */
const USED = { action: 'scale_up', count: 1, reason: 'the test' };

describe('autoscaler: malformed and hostile requests to its process', function () {
  this.timeout(1_800_000);
  let system: AutoscalerSystem;
  let stores: AutoscalerStores;
  let leader: RunningService;

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    system = await AutoscalerSystem.start();
    stores = new AutoscalerStores(system);
    leader = await system.startReplica({ MAX_NODES: '3', SCALE_DOWN_COOLDOWN_MS: '86400000' });
    await leader.leads();
    await eventually('it has read the journal', async () => {
      const { status } = await system.post(leader, '/scale', USED, { 'idempotency-key': KEY });
      return status === 202;
    });
    await eventually('the worker is there', async () => {
      const { containers, mongodb, underWay } = await stores.places();
      return containers.length === 3 && mongodb.length === 3 && underWay.length === 0;
    });
    await eventually('the history knows it', async () => {
      return (await stores.history.events({ limit: 10 })).length === 1;
    });
  });
  after(async () => {
    await stores?.close();
    await system?.stop();
  });

  /** All that the API could change. */
  async function state() {
    const { redis } = stores;
    const values = async (key: string): Promise<unknown> => {
      const type = await redis.type(key);
      if (type === 'hash') return redis.hgetall(key);
      return type === 'list' ? redis.lrange(key, 0, -1) : redis.get(key);
    };
    const keys = (await redis.keys('*')).sort();
    const { items } = await system.api.request<{ items: { metadata: object; spec: object }[] }>({
      ...{ method: 'GET', path: '/api/v1/nodes' },
    });
    return {
      redis: await Promise.all(keys.map(async (key) => [key, await values(key)])),
      events: await stores.history.events({ limit: 1000 }),
      workers: await stores.history.workers(),
      containers: system.docker.names,
      ...{ made: [...system.docker.made], removed: [...system.docker.removed] },
      nodes: items.map(({ metadata, spec }) => ({ metadata, spec })),
      config: (await leader.get('/config')).body,
    };
  }

  it(`${REQUESTS} of them get the right status each, change nothing, and leave it healthy`, async () => {
    const document = (await leader.get('/openapi.json')).body as unknown as OpenApi;
    const port = Number(new URL(leader.url).port);
    const used = { path: '/scale', key: KEY, body: USED };
    const before = await state();
    const seen = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(hostileRequests(document, { token: TOKEN, used }), async (hostile) => {
        const { kind, status, bytes, byApi } = hostile;
        const answer = await sendRaw(port, bytes);
        const what = `${kind}: ${bytes.toString('latin1').slice(0, 300)}\n${answer.body}`;
        assert.equal(answer.status, status, what);
        if (byApi) assert.match(answer.headers['content-type'] ?? '', /^application\/json/, what);
        if (byApi && status >= 400)
          assert.equal(typeof (JSON.parse(answer.body) as { error: unknown }).error, 'string');
        assert.equal(answer.headers['idempotency-replayed'], status === 202 ? 'true' : undefined);
        assert.ok(!answer.body.includes(TOKEN), what);
        seen.set(status, (seen.get(status) ?? 0) + 1);
      }),
      { numRuns: REQUESTS },
    );
    assert.deepEqual(
      [...seen.keys()].sort((a, b) => a - b),
      [202, 400, 401, 404, 405, 409, 413, 415, 417, 422, 431],
    );
    assert.deepEqual(await state(), before);
    await stores.redis.del(`autoscaler:requests:${KEY}`);
    await stores.becomeWhole(WORKERS);
    const { status, body } = await leader.get('/health');
    assert.deepEqual([status, body['status'], body['role']], [200, 'healthy', 'leader']);
    const metrics = await system.metricsOf(leader);
    assert.doesNotMatch(metrics, /autoscaler_errors_total\{type="api"\} [1-9]/);
  });
});
