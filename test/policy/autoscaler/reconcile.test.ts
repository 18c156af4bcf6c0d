import assert from 'node:assert/strict';
import { reconcile, type FourSources } from '../../../runtime/autoscaler/policy/reconcile';
import { reconcileOnce } from '../../../runtime/autoscaler/operations/reconciler';
import type { NodeState, WorkerContainer } from '../../../runtime/autoscaler/ports';
import { operationSettings, scalingSettings } from '../../../runtime/autoscaler/settings';
import type { Operation, ScalingEvent, WorkerRecord } from '../../../runtime/autoscaler/types';
import { systemClock } from '../../../runtime/shared/clock';
import { parseSettings } from '../../../runtime/shared/settings';
import { World } from './faults';

const NOW = 10_000_000;
const nameOf = (number: number): string => `k3s-worker-${number}`;
const container = (number: number, more: Partial<WorkerContainer> = {}): WorkerContainer => ({
  ...{ name: nameOf(number), running: true, createdAtMs: 0, operation: '' },
  ...more,
});
const node = (number: number, more: Partial<NodeState> = {}): NodeState => ({
  ...{ name: nameOf(number), ready: true, cordoned: false, controlPlane: false },
  ...more,
});
const record = (number: number, more: Partial<WorkerRecord> = {}): WorkerRecord => ({
  ...{ name: nameOf(number), number, permanent: number <= 2, status: 'ready', createdAtMs: 0 },
  ...more,
});
const upOf = (number: number): Operation => ({
  ...{ id: 'x', kind: 'up', step: 'register', worker: nameOf(number), number },
  ...{ reason: 'test', startedAtMs: 0 },
});
/** Workers 1 to 3, of which all four say the same, changed in one place. */
const sources = (
  change: Partial<{
    containers: FourSources['containers'];
    nodes: FourSources['nodes'];
    history: FourSources['history'];
    workers: readonly WorkerRecord[];
    counter: number;
    operations: readonly Operation[];
  }> = {},
): FourSources => {
  const {
    workers = [1, 2, 3].map((n) => record(n)),
    counter = 3,
    operations = [],
    ...rest
  } = change;
  return {
    containers: [1, 2, 3].map((n) => container(n)),
    nodes: [1, 2, 3].map((n) => node(n)),
    history: [1, 2, 3].map((n) => record(n)),
    live: { workers, counter, operations },
    ...rest,
  };
};
const SETTINGS = { permanentWorkers: new Set([nameOf(1), nameOf(2)]), startLimitMs: 300_000 };
/** Each fix in a few words. */
const fixes = (from: FourSources): string[] =>
  reconcile(from, SETTINGS, NOW).map((fix) => {
    const of = 'worker' in fix ? fix.worker : 'record' in fix ? fix.record.name : fix.to;
    return `${fix.issue}: ${fix.act} ${of}`;
  });
const three = [1, 2, 3];
const four = [1, 2, 3, 4];
const all = <T>(of: (n: number) => T, numbers: readonly number[]): T[] => numbers.map((n) => of(n));

describe('autoscaler: reconciliation', () => {
  const cases: [string, FourSources, string[]][] = [
    ['nothing where all say the same', sources(), []],
    [
      'a record in Redis of what is gone',
      sources({ workers: all(record, four), counter: 4 }),
      ['stale_redis: remove-live k3s-worker-4'],
    ],
    [
      'a record in MongoDB of what is gone',
      sources({ history: all(record, four) }),
      ['stale_mongodb: remove-history k3s-worker-4'],
    ],
    [
      'a dead node without a container',
      sources({ nodes: [...all(node, three), node(4, { ready: false })], counter: 4 }),
      ['orphaned_node: delete-node k3s-worker-4'],
    ],
    [
      'a Ready node without a container is left',
      sources({ nodes: all(node, four), counter: 4 }),
      [],
    ],
    [
      'a container without a node',
      sources({ containers: all(container, four), counter: 4 }),
      ['orphaned_container: remove-container k3s-worker-4'],
    ],
    [
      'a young one is left',
      sources({
        containers: [...all(container, three), container(4, { createdAtMs: NOW - 300_000 })],
        counter: 4,
      }),
      [],
    ],
    [
      'a container and records of what never became a node',
      sources({
        containers: all(container, four),
        workers: all(record, four),
        history: all(record, four),
        counter: 4,
      }),
      [
        'orphaned_container: remove-container k3s-worker-4',
        'stale_redis: remove-live k3s-worker-4',
        'stale_mongodb: remove-history k3s-worker-4',
      ],
    ],
    [
      'a worker that Redis lacks',
      sources({ workers: all(record, [1, 2]) }),
      ['missing_redis: put-live k3s-worker-3'],
    ],
    [
      'a worker that MongoDB lacks',
      sources({ history: all(record, [1, 2]) }),
      ['missing_mongodb: put-history k3s-worker-3'],
    ],
    [
      'another status in Redis',
      sources({ workers: [...all(record, [1, 2]), record(3, { status: 'draining' })] }),
      ['status_mismatch: put-live k3s-worker-3'],
    ],
    [
      'another status in MongoDB',
      sources({ history: [...all(record, [1, 2]), record(3, { status: 'not-ready' })] }),
      ['status_mismatch: put-history k3s-worker-3'],
    ],
    [
      'a node that is not Ready',
      sources({ nodes: [...all(node, [1, 2]), node(3, { ready: false })] }),
      ['status_mismatch: put-live k3s-worker-3', 'status_mismatch: put-history k3s-worker-3'],
    ],
    ['a counter that lags', sources({ counter: 1 }), ['counter_drift: raise-counter 3']],
    ['a counter that is ahead is right: numbers are not used twice', sources({ counter: 9 }), []],
    [
      'permanent workers are never removed',
      sources({ containers: all(container, [2, 3]), nodes: [node(1, { ready: false }), node(3)] }),
      [],
    ],
    [
      'what an operation is at work on is left to it',
      sources({ containers: all(container, four), operations: [upOf(4)], counter: 4 }),
      [],
    ],
    [
      'other names are left',
      sources({ nodes: [...all(node, three), node(9, { name: 'web', ready: false })] }),
      [],
    ],
    [
      'control planes are left',
      sources({
        nodes: [...all(node, three), node(4, { controlPlane: true, ready: false })],
        counter: 4,
      }),
      [],
    ],
    [
      'without Docker nothing is removed',
      sources({ containers: undefined, workers: all(record, four), counter: 4 }),
      [],
    ],
    [
      'without Kubernetes nothing is removed',
      sources({ nodes: undefined, workers: all(record, four), counter: 4 }),
      [],
    ],
    [
      'without MongoDB the rest is mended',
      sources({ history: undefined, workers: all(record, [1, 2]) }),
      ['missing_redis: put-live k3s-worker-3'],
    ],
    [
      'without Redis nothing is done',
      { ...sources({ nodes: [], history: [] }), live: undefined },
      [],
    ],
  ];
  for (const [what, from, expected] of cases)
    it(what, () => assert.deepEqual(fixes(from), expected));
});

describe('autoscaler: a round of reconciliation', () => {
  const outside = (world: World, problems: string[] = []) => ({
    ...{ containers: world.docker, cluster: world.docker, live: world.live },
    ...{ history: world.history, clock: { ...systemClock, nowMs: () => world.docker.nowMs } },
    limits: parseSettings({ ...scalingSettings, ...operationSettings }, {}),
    problem: (what: string) => void problems.push(what),
  });
  const event: ScalingEvent = {
    id: 'e',
    kind: 'scale_up',
    outcome: 'done',
    worker: nameOf(3),
    reason: 'test',
    atMs: 1,
  };

  it('mends each kind in one round, and finds nothing in the next', async () => {
    const world = new World();
    await world.populate(4);
    world.docker.addWorker(nameOf(9)); // missing in both, and the counter lags
    world.docker.containers.delete(nameOf(3));
    world.docker.advance(0); // a dead node, and records of it
    world.docker.addWorker(nameOf(8));
    world.docker.known.delete(nameOf(8)); // a container without its node
    await world.live.putWorker(record(4, { status: 'draining' }));
    const report = await reconcileOnce(outside(world));
    assert.deepEqual(report.fixed.map(({ issue }) => issue).sort(), [
      ...['counter_drift', 'missing_mongodb', 'missing_redis', 'orphaned_container'],
      ...['orphaned_node', 'stale_mongodb', 'stale_redis', 'status_mismatch'],
    ]);
    assert.deepEqual(report.failed, []);
    assert.deepEqual((await reconcileOnce(outside(world))).fixed, []);
    assert.equal(await world.live.counter(), 9);
    const { containers, nodes, records } = await world.everywhere();
    assert.deepEqual(nodes, containers);
    assert.deepEqual(records, containers);
  });

  it('keeps events for the history while it is away, and gives each once when it is back', async () => {
    const world = new World();
    await world.live.addEvent(event);
    await world.live.addEvent(event);
    world.history.away = new Error('away');
    const problems: string[] = [];
    const { unknown } = await reconcileOnce(outside(world, problems));
    assert.deepEqual(unknown, ['history']);
    assert.deepEqual(problems, ['reconciliation could not ask: history']);
    world.history.away = undefined;
    await reconcileOnce(outside(world));
    assert.deepEqual(await world.history.events({ limit: 9 }), [event]);
    assert.deepEqual(await world.live.unsentEvents(9), []);
  });

  it('a fix that fails does not keep the others from being made', async () => {
    const world = new World();
    await world.populate(2);
    world.docker.containers.set(nameOf(7), container(7));
    world.docker.remove = () => Promise.reject(new Error('Docker is busy'));
    const { fixed, failed } = await reconcileOnce(outside(world));
    assert.deepEqual(
      failed.map(({ why }) => why),
      ['Docker is busy'],
    );
    assert.deepEqual(
      fixed.map(({ issue }) => issue),
      ['counter_drift'],
    );
  });
});
