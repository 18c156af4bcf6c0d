import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import type { ScalingEvent } from '../../runtime/autoscaler/types';
import type { Lease } from '../../runtime/shared/kubernetes/types';
import { AutoscalerSystem } from './support/autoscaler-system';
import { mouldOf } from '../policy/autoscaler/worker-mould';
import { freePorts } from './support/free-ports';
import { createPod, eventually, listPods } from './support/kube';
import { RunningService } from './support/running-service';
import { temporaryFolder } from './support/service-process';

/** After it has grown once it grows and shrinks only when it is told to. */
const PATIENT = { SCALE_UP_COOLDOWN_MS: '3600000', SCALE_DOWN_COOLDOWN_MS: '3600000' };
const WORKERS = ['k3s-worker-1', 'k3s-worker-2'];

describe('autoscaler as a process, with a real API server and Redis; Docker is a stand-in', function () {
  this.timeout(1_800_000);
  let system: AutoscalerSystem;
  let redis: Redis;
  let first: RunningService;

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    system = await AutoscalerSystem.start();
    redis = new Redis(system.redis.url);
    redis.on('error', () => undefined);
    first = await system.startReplica(PATIENT);
    await first.leads();
  });
  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const { lines } of system.replicas)
      process.stderr.write(
        `${lines
          .slice(-25)
          .map((line) => JSON.stringify(line))
          .join('\n')}\n\n`,
      );
  });
  after(async () => {
    redis?.disconnect();
    await system?.stop();
  });

  const workers = async () => Object.keys(await redis.hgetall('autoscaler:workers')).sort();
  const history = async (replica: RunningService) => {
    const { body } = await replica.get('/history');
    return { source: body['source'], events: body['events'] as ScalingEvent[] };
  };
  /** That containers, nodes, passwords and records are those of the same workers, and nothing is under way. */
  const isWhole = async (expected: readonly string[]): Promise<boolean> => {
    const nodes = (await system.nodeNames()).filter((name) => name.startsWith('k3s-worker-'));
    const lists = [nodes, system.docker.names, await system.passwords(), await workers()];
    const under = await redis.hlen('autoscaler:operations');
    return under === 0 && lists.every((list) => list.join() === expected.join());
  };
  const becomesWhole = (expected: readonly string[]) =>
    eventually(`all is ${expected.join()}`, () => isWhole(expected));

  it('records the workers that are there, and tells how it and all that it talks to is', async () => {
    await becomesWhole(WORKERS);
    await eventually('their numbers are taken', async () => {
      return (await redis.get('autoscaler:workers:counter')) === '2';
    });
    assert.equal(await redis.get('autoscaler:workers:permanent'), JSON.stringify(WORKERS));
    const { body } = await eventually('it is healthy', async () => {
      const health = await first.get('/health');
      return health.status === 200 && health.body['status'] === 'healthy' && health;
    });
    assert.equal(body['role'], 'leader');
    for (const name of ['kubernetes', 'redis', 'mongodb', 'docker'])
      assert.equal((body[name] as { state: string }).state, 'up', name);
    // Its health is not that of Prometheus, which may be read later.
    const memory = await eventually('memory is read', async () => {
      const { body: seen } = await first.get('/nodes/metrics');
      const nodes = seen['nodes'] as { name: string; memory: { ratio?: number } }[];
      return nodes.find(({ name }) => name === 'k3s-worker-1')?.memory.ratio;
    });
    assert.equal(memory, 0.5);
    assert.equal((await first.get('/config')).body['API_TOKEN'], '(secret)');
  });

  it('adds a worker for a pod that waits, and tells the same story everywhere', async () => {
    const requests = { resources: { requests: { cpu: '3' } } };
    await createPod(system.api, 'work', 'waits', {
      spec: { containers: [{ name: 'main', image: 'none', ...requests }] },
    });
    await system.api.request({
      ...{ method: 'PATCH', path: '/api/v1/namespaces/work/pods/waits/status' },
      contentType: 'application/merge-patch+json',
      body: { status: { conditions: [{ type: 'PodScheduled', status: 'False' }] } },
    });
    const all = [...WORKERS, 'k3s-worker-3'];
    await becomesWhole(all);
    // The pod goes on waiting, since no scheduler runs; the cooldown keeps it from adding another.
    await eventually('it holds', async () => {
      const { decision, pending, reason } = (await first.get('/metrics')).body;
      return decision === 'hold' && pending === 1 && /grew lately/.test(String(reason));
    });
    await system.api.request({
      ...{ method: 'DELETE', path: '/api/v1/namespaces/work/pods/waits' },
      body: { gracePeriodSeconds: 0 },
    });
    assert.deepEqual(system.docker.made, ['k3s-worker-3']);
    const events = await eventually('MongoDB has it', async () => {
      const now = await history(first);
      return now.source === 'mongodb' && now.events.length > 0 && now.events;
    });
    assert.deepEqual(
      events.map(({ kind, outcome, worker }) => [kind, outcome, worker]),
      [['scale_up', 'done', 'k3s-worker-3']],
    );
    await eventually('it is counted', async () =>
      (await system.metricsOf(first)).includes(
        'autoscaler_scale_up_events_total{outcome="done"} 1',
      ),
    );
    await eventually('nothing waits any more', async () => {
      const seen = await first.get('/metrics');
      return seen.body['pending'] === 0;
    });
  });

  it('removes the last in when it is told to, once for each key, and evicts its pods', async () => {
    const before = system.docker.names;
    const last = before.at(-1) ?? '';
    const owner = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'r',
      uid: 'r',
      controller: true,
    };
    await createPod(system.api, 'work', 'runs', {
      metadata: { ownerReferences: [owner] },
      spec: { nodeName: last },
    });
    await eventually('its pod is seen', async () => {
      const nodes = (await first.get('/nodes/metrics')).body['nodes'];
      const seen = nodes as { name: string; pods: number }[];
      return seen.some(({ name, pods }) => name === last && pods === 1);
    });
    const ask = { action: 'scale_down', count: 1, reason: 'the test' };
    const refused = await system.post(first, '/scale', ask, { authorization: 'Bearer wrong' });
    assert.equal(refused.status, 401);
    const key = { 'idempotency-key': 'one' };
    const answer = await system.post(first, '/scale', ask, key);
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    const again = await system.post(first, '/scale', ask, key);
    assert.deepEqual([again.status, again.replayed], [202, true]);
    assert.deepEqual(again.body, answer.body);
    // No kubelet ends what is evicted: the test does.
    await eventually('its pod is evicted', async () => {
      const [pod] = (await listPods(system.api, 'work')).filter(
        ({ metadata }) => metadata.name === 'runs',
      );
      return pod === undefined || pod.metadata.deletionTimestamp !== undefined;
    });
    const path = '/api/v1/namespaces/work/pods/runs';
    const body = { gracePeriodSeconds: 0 };
    await system.api.request({ method: 'DELETE', path, body });
    await becomesWhole(before.filter((name) => name !== last));
    const lease = await system.api.request<Lease>({
      method: 'GET',
      path: '/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/disruptions',
    });
    assert.match(lease.metadata.annotations?.['berth.dev/evictions'] ?? '', /work\/runs/);
  });

  it('goes on without MongoDB, says so, and makes good for it', async () => {
    const before = system.docker.names;
    await system.mongo.stop();
    await eventually('it is degraded', async () => {
      const { status, body } = await first.get('/health');
      const { state } = body['mongodb'] as { state: string };
      return status === 200 && body['status'] === 'degraded' && state === 'down';
    });
    const { body } = await system.post(first, '/scale', { action: 'scale_up' });
    const [operation] = body['operations'] as { worker: string }[];
    assert.ok(operation);
    await eventually('Redis tells of it', async () => {
      const { source, events } = await history(first);
      return source === 'redis' && events[0]?.worker === operation.worker;
    });
    await system.mongo.start();
    await becomesWhole([...before, operation.worker].sort());
    await eventually('MongoDB tells of it', async () => {
      const { source, events } = await history(first);
      return source === 'mongodb' && events.some(({ worker }) => worker === operation.worker);
    });
  });

  it('does nothing without Redis, and goes on when it is back', async () => {
    await system.redis.stop();
    await eventually('it is not healthy', async () => (await first.get('/health')).status === 503);
    assert.equal((await system.post(first, '/scale', { action: 'scale_up' })).status, 503);
    await system.redis.start();
    await eventually('it is healthy', async () => (await first.get('/health')).status === 200);
    assert.ok(await isWhole(system.docker.names));
  });

  it('another replica finishes what a killed one has begun', async () => {
    const before = system.docker.names;
    const next = `k3s-worker-${Number(await redis.get('autoscaler:workers:counter')) + 1}`;
    const second = await system.startReplica(PATIENT);
    assert.equal((await second.get('/')).body['role'], 'standby');
    assert.equal((await system.post(second, '/scale', { action: 'scale_up' })).status, 409);
    system.mute.add(next);
    const { status } = await system.post(first, '/scale', { action: 'scale_up' });
    assert.equal(status, 202);
    await eventually('its container runs', async () => system.docker.names.includes(next));
    first.signal('SIGKILL');
    await first.exited;
    await second.leads();
    await system.register(next);
    await becomesWhole([...before, next].sort());
    assert.equal(system.docker.made.filter((name) => name === next).length, 1);
    first = second;
  });

  it('acts on CPU and memory when they are read, not at its next cycle', async () => {
    assert.equal(await first.stop(), 0);
    const before = system.docker.names;
    const seldom = { CHECK_INTERVAL_MS: '3600000', SCALE_UP_COOLDOWN_MS: '0' };
    first = await system.startReplica({ ...PATIENT, ...seldom });
    await first.leads();
    await eventually('it has decided that all is well', async () => {
      return (await first.get('/metrics')).body['decision'] === 'hold';
    });
    const ratios = [...system.prometheus.ratios.keys()];
    for (const name of ratios) system.prometheus.ratios.set(name, 0.95);
    // Where the test is slow to look, there are more by then.
    await eventually('one more', async () => system.docker.names.length > before.length);
    for (const name of system.prometheus.ratios.keys()) system.prometheus.ratios.set(name, 0.5);
    await eventually('all is whole', () => isWhole(system.docker.names));
    assert.equal((await first.get('/metrics')).body['decision'], 'up');
  });

  it('ends well on SIGTERM, and gives the Lease up', async () => {
    assert.equal(await first.stop(), 0);
    const lease = await system.api.request<Lease>({
      method: 'GET',
      path: '/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/autoscaler',
    });
    assert.equal(lease.spec?.holderIdentity ?? '', '');
  });

  it('changes nothing in a dry run', async () => {
    const before = system.docker.names;
    await redis.del('autoscaler:workers');
    const dry = await system.startReplica({ ...PATIENT, DRY_RUN: 'true', MIN_NODES: '6' });
    await dry.leads();
    await eventually('it would add some', async () => {
      const { body } = await dry.get('/metrics');
      return body['decision'] === 'up';
    });
    await eventually('it has found what differs', async () => {
      const last = (await dry.get('/reconciliation/status')).body['last'];
      return ((last as { found: unknown[] } | null)?.found.length ?? 0) > 0;
    });
    const { body } = await system.post(dry, '/scale', { action: 'scale_up' });
    assert.equal(body['dryRun'], true);
    assert.deepEqual(await workers(), []);
    assert.equal(await redis.hlen('autoscaler:operations'), 0);
    assert.deepEqual(system.docker.names, before);
    const { status } = await system.post(dry, '/stop');
    assert.equal(status, 202);
    assert.equal(await dry.exited, 0);
  });
});

describe('autoscaler as a process, where nothing that it talks to is there', function () {
  this.timeout(1_800_000);
  const WATCHES = 8;
  const STORES = 3;
  let folder: string | undefined;
  let alone: RunningService | undefined;
  after(async () => {
    await alone?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('goes on trying, and Node has nothing to warn of', async () => {
    folder = await temporaryFolder('nowhere');
    const [port = 0] = await freePorts(1);
    const closed = `127.0.0.1:${port}`;
    const KUBECONFIG = path.join(folder, 'kubeconfig');
    const kubeconfig = {
      clusters: [{ name: 'none', cluster: { server: `https://${closed}` } }],
      users: [{ name: 'none', user: { token: 'none' } }],
      contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
      'current-context': 'none',
    };
    await writeFile(KUBECONFIG, JSON.stringify(kubeconfig));
    const { template, clusterToken } = mouldOf();
    const service = await RunningService.start('autoscaler', {
      ...{ KUBECONFIG, METRICS_PORT: '0', PROM_URL: `http://${closed}` },
      ...{ REDIS_URL: `redis://${closed}`, MONGO_URL: `mongodb://${closed}` },
      ...{ DOCKER_URL: `http://${closed}`, MONGO_TIMEOUT_MS: '100', DRY_RUN: 'true' },
      ...{ API_TOKEN: 'a-token-of-the-test', DOCKER_TOKEN: 'a-token-for-docker' },
      ...{ WORKER_TEMPLATE: JSON.stringify(template), K3S_TOKEN: clusterToken },
    });
    alone = service;
    const count = (msg: string): number =>
      service.lines.filter((line) => line.msg === msg && Number(line['waitMs'] ?? 1000) >= 1000)
        .length;
    await eventually('every store has been missed', async () => {
      return count('cannot be reached') === STORES;
    });
    const before = count('watch failed');
    await eventually('every watch waits beside them', async () => {
      return count('watch failed') >= before + WATCHES;
    });
    assert.equal(await service.stop(), 0);
    assert.equal(service.errors, '');
  });
});
