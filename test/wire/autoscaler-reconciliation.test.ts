import assert from 'node:assert/strict';
import { KEYS } from '../../runtime/autoscaler/adapters/redis-keys';
import type { ReconcileReport } from '../../runtime/autoscaler/operations/reconciler';
import { ISSUES, type Issue } from '../../runtime/autoscaler/policy/reconcile';
import { workerNumber } from '../../runtime/autoscaler/policy/worker-name';
import type { WorkerRecord } from '../../runtime/autoscaler/types';
import { AutoscalerStores } from './support/autoscaler-stores';
import { AutoscalerSystem } from './support/autoscaler-system';
import { eventually } from './support/kube';
import type { RunningService } from './support/running-service';

const WORKERS = ['k3s-worker-1', 'k3s-worker-2', 'k3s-worker-3'];
/** Above every number of the test, so that only who lowers it makes the counter drift. */
const COUNTER = 20;

/** One way in which something can be wrong. */
interface Wrong {
  readonly issue: Issue;
  readonly title: string;
  /** The worker that it is made of; of its own for each, so that all can be made at once. */
  readonly worker: string;
  readonly make: (worker: string) => Promise<unknown>;
}

describe('autoscaler: what is wrong by hand is mended by one round of reconciliation', function () {
  this.timeout(1_800_000);
  let system: AutoscalerSystem;
  let stores: AutoscalerStores;
  let leader: RunningService;
  let right: Awaited<ReturnType<typeof recorded>>;

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    system = await AutoscalerSystem.start();
    stores = new AutoscalerStores(system);
    await system.addWorker('k3s-worker-3');
    await stores.live.raiseCounter(COUNTER);
    // The rounds are those that the test asks for.
    leader = await system.startReplica({ RECONCILE_INTERVAL_MS: '86400000' });
    await leader.leads();
    await stores.becomeWhole(WORKERS);
    await eventually('the first round is over', async () => {
      return (await leader.get('/reconciliation/status')).body['last'] !== null;
    });
    right = await recorded();
  });
  after(async () => {
    await stores?.close();
    await system?.stop();
  });

  const recorded = async () => ({
    redis: await stores.live.workers(),
    mongodb: await stores.history.workers(),
  });
  const recordOf = (name: string): WorkerRecord => ({
    ...{ name, number: workerNumber(name) ?? 0, permanent: false },
    ...{ status: 'ready', createdAtMs: 1 },
  });
  const knownRecord = (name: string): WorkerRecord => {
    const found = right.redis.find((record) => record.name === name);
    assert.ok(found);
    return found;
  };
  const documents = () => stores.mongo.db('autoscaler').collection<{ _id: string }>('workers');

  const WRONGS: readonly Wrong[] = [
    {
      issue: 'stale_redis',
      title: 'a record in Redis of a worker that is nowhere',
      worker: 'k3s-worker-5',
      make: (worker) => stores.live.putWorker(recordOf(worker)),
    },
    {
      issue: 'stale_mongodb',
      title: 'a record in MongoDB of a worker that is nowhere',
      worker: 'k3s-worker-6',
      make: (worker) => stores.history.putWorker(recordOf(worker)),
    },
    {
      issue: 'orphaned_node',
      title: 'a node, and its password, without a container',
      worker: 'k3s-worker-7',
      make: (worker) => system.register(worker, { ready: false }),
    },
    {
      issue: 'orphaned_container',
      title: 'a container without a node',
      worker: 'k3s-worker-8',
      make: async (worker) => system.addContainer(worker),
    },
    {
      issue: 'missing_redis',
      title: 'no record in Redis of a worker that is there',
      worker: 'k3s-worker-1',
      make: (worker) => stores.live.removeWorker(worker),
    },
    {
      issue: 'missing_mongodb',
      title: 'no record in MongoDB of a worker that is there',
      worker: 'k3s-worker-2',
      make: (worker) => documents().deleteOne({ _id: worker }),
    },
    {
      issue: 'status_mismatch',
      title: 'another status in Redis than the node has',
      worker: 'k3s-worker-3',
      make: (worker) => stores.live.putWorker({ ...knownRecord(worker), status: 'draining' }),
    },
    {
      issue: 'status_mismatch',
      title: 'another status in MongoDB than the node has',
      worker: 'k3s-worker-3',
      make: (worker) => documents().updateOne({ _id: worker }, { $set: { status: 'not-ready' } }),
    },
    {
      issue: 'counter_drift',
      title: 'a counter below a number in use',
      worker: 'k3s-worker-3',
      make: () => stores.redis.set(KEYS.counter, '1'),
    },
  ];

  /** How often each kind was mended, and how many rounds there were. */
  async function counted(): Promise<Record<Issue | 'rounds', number>> {
    const text = await system.metricsOf(leader);
    const value = (name: string): number => {
      const line = text.split('\n').find((one) => one.startsWith(`${name} `));
      assert.ok(line, name);
      return Number(line.slice(name.length));
    };
    return Object.fromEntries([
      ...ISSUES.map((type) => [
        type,
        value(`autoscaler_reconciliation_issues_fixed_total{type="${type}"}`),
      ]),
      ['rounds', value('autoscaler_reconciliation_cycles_total')],
    ]) as Record<Issue | 'rounds', number>;
  }

  async function round(): Promise<ReconcileReport> {
    const { status, body } = await system.post(leader, '/reconciliation/trigger');
    assert.equal(status, 200, JSON.stringify(body));
    return body as unknown as ReconcileReport;
  }

  /** Makes something wrong, and asserts that one round mends it and counts each once. */
  async function mends(wrongs: readonly Wrong[]): Promise<void> {
    const before = await counted();
    for (const { make, worker } of wrongs) await make(worker);
    const report = await round();
    const issues = wrongs.map(({ issue }) => issue).sort();
    assert.deepEqual(report.fixed.map(({ issue }) => issue).sort(), issues);
    assert.deepEqual([report.failed, report.unknown], [[], []]);
    const expected = { ...before, rounds: before.rounds + 1 };
    for (const issue of issues) expected[issue] += 1;
    assert.deepEqual(await counted(), expected);
    await stores.becomeWhole(WORKERS);
    assert.deepEqual(await recorded(), right);
    assert.ok((await stores.live.counter()) >= WORKERS.length);
    await stores.live.raiseCounter(COUNTER);
    // There was no more to it.
    assert.deepEqual((await round()).found, []);
  }

  it('has a way to make each kind', () => {
    assert.deepEqual([...new Set(WRONGS.map(({ issue }) => issue))].sort(), [...ISSUES].sort());
  });
  for (const wrong of WRONGS) it(`${wrong.issue}: ${wrong.title}`, () => mends([wrong]));
  // The status of one worker is wrong in both places, and its number is the highest: each counts by itself.
  it('all of it at once', () => mends(WRONGS));
});
