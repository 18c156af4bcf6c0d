import assert from 'node:assert/strict';
import {
  EXTERNAL_SCALER_NAME,
  NODE_CONTROLLER_NAME,
  PROMETHEUS_CONFIG_NAME,
} from '../../components/plan';
import { AnalyzerWatch } from './support/analyzer-watch';
import { BURN_CPU, podOf, type EstateCluster } from './support/cluster';
import { allowed, availableNodeCount, eligible, ranks } from './support/queue-services';
import {
  changeScaledJobs,
  generations,
  isComplete,
  ownersOf,
  POSTURE,
  presentJobs,
  SCALED_JOBS,
} from './support/scaled-jobs';
import { estate, estateCluster } from './support/session';
import { readStatus } from './support/status';
import { waitUntil } from './support/wait-until';

const NODES = ['node-1', 'node-2', 'node-3'];
const LIMIT_MS = 900_000;

describe('event scaling on the real KEDA operator', function () {
  this.timeout(2_400_000);
  this.bail(true);

  let cluster: EstateCluster;
  let watch: AnalyzerWatch | undefined;

  before(async () => {
    cluster = await estateCluster();
  });
  afterEach(async () => {
    await watch?.stop();
    watch = undefined;
  });

  /** Waits until exactly these nodes may take an analyzer, for the scaler and by their ranks. */
  async function onlyFree(names: readonly string[]): Promise<void> {
    let seen: unknown;
    await waitUntil(
      `only ${names.join(', ') || 'no node'} to be free`,
      async () => {
        const { nodes } = await eligible(cluster);
        const ranked = await ranks(cluster);
        seen = { nodes, ranked: [...ranked] };
        const free = nodes.filter((one) => one.allowed).map(({ node }) => node);
        return (
          free.sort().join() === names.join() && [...ranked.keys()].sort().join() === names.join()
        );
      },
      { limitMs: LIMIT_MS, seen: () => seen },
    );
  }

  /** Waits until the present generation of each ScaledJob has completed at least this often in all. */
  async function completed(count: number, names = SCALED_JOBS): Promise<void> {
    let seen: unknown;
    await waitUntil(
      `${count} of ${names.length} ScaledJobs to complete`,
      async () => {
        const jobs = await presentJobs(cluster, names);
        seen = jobs.map(({ metadata, status }) => [metadata?.name, status?.conditions?.[0]?.type]);
        return new Set(ownersOf(jobs.filter(isComplete))).size >= count;
      },
      { limitMs: LIMIT_MS, seen: () => seen },
    );
  }

  /** Each ran exactly once, on a node of its own with the label. */
  async function assertRanOnce(names = SCALED_JOBS): Promise<void> {
    const jobs = await presentJobs(cluster, names);
    assert.deepEqual(ownersOf(jobs), [...names].sort(), 'a Job was lost or made twice');
    assert.ok(jobs.every(isComplete));
    assert.ok(watch);
    assert.deepEqual(watch.violations, []);
    assert.ok(watch.looks >= names.length * 3, `only ${watch.looks} looks`);
    assert.deepEqual(
      watch.placements.map(({ scaledJob }) => scaledJob).sort(),
      [...names].sort(),
      'an analyzer was put on a node twice',
    );
    for (const one of watch.placements) assert.ok(one.eligible, JSON.stringify(one));
  }

  it('ran each of the ten ScaledJobs once, each with real rows', async () => {
    const { checkout } = await estate();
    const { scaledJobs } = await readStatus(checkout);
    assert.deepEqual(
      scaledJobs.map(({ name, mode, phase, completed: done }) => [name, mode, phase, done]),
      SCALED_JOBS.map((name) => [name, 'once', 'Complete', 1]),
    );
    for (const one of scaledJobs) {
      assert.ok(one.images !== null && one.images > 0, `${one.name} analyzed no image`);
      assert.equal((one.good ?? 0) + (one.bad ?? 0) + (one.noPose ?? 0), one.images, one.name);
      assert.ok(NODES.includes(one.node ?? ''), JSON.stringify(one));
    }
    const config = await cluster.core.readNamespacedConfigMap({
      name: PROMETHEUS_CONFIG_NAME,
      namespace: POSTURE,
    });
    assert.match(config.data?.PROM_URL ?? '', /^http:.*prometheus/);
  });

  it('runs all ten once more when they change, and never two on a node', async () => {
    const { checkout } = await estate();
    const before = await generations(cluster);
    watch = await AnalyzerWatch.start(cluster);
    await checkout.configure((config: Record<string, unknown>) => {
      const systems = config['berth:systems'] as Record<string, Record<string, unknown>>;
      systems.eventScaling = { ...systems.eventScaling, pollingIntervalSeconds: 5 };
    });
    const { all } = await checkout.npm('up');
    for (const name of SCALED_JOBS) assert.match(all, new RegExp(`${name}\\b.*node-\\d`), name);
    assert.match(all, /\b10 updated/);
    for (const [name, generation] of await generations(cluster))
      assert.ok(generation > (before.get(name) ?? 0), name);
    await assertRanOnce();
    assert.deepEqual([...new Set(watch.placements.map(({ node }) => node))].sort(), NODES);
  });

  it('counts a node without the label no more, and puts nothing on it until it has it again', async () => {
    const gauge = async (count: number) => {
      let seen: unknown;
      await waitUntil(
        `the gauge to be ${count}`,
        async () => (seen = await availableNodeCount(cluster)) === count,
        { limitMs: LIMIT_MS, seen: () => seen },
      );
    };
    await onlyFree(NODES);
    await gauge(3);
    await cluster.labelNode('node-1', { 'posture/eligible': null });
    try {
      await gauge(2);
      await onlyFree(['node-2', 'node-3']);
      const some = SCALED_JOBS.slice(0, 3);
      watch = await AnalyzerWatch.start(cluster);
      await changeScaledJobs(cluster, some);
      await completed(some.length, some);
      await assertRanOnce(some);
      assert.ok(watch.placements.every(({ node }) => node !== 'node-1'));
    } finally {
      await cluster.labelNode('node-1', { 'posture/eligible': 'true' });
    }
    await onlyFree(NODES);
    await gauge(3);
  });

  it('gives a node over the threshold none, and one when it has cooled; lower slots fill first', async () => {
    const [first = '', second = ''] = SCALED_JOBS;
    const [scheduler] = await cluster.pods('berth-system', 'app.kubernetes.io/name=cpu-scheduler');
    const image = scheduler?.spec?.containers[0]?.image ?? '';
    await onlyFree(NODES);
    const burners = [1, 2].map((part) => `burner-of-the-queue-${part}`);
    for (const name of burners)
      await cluster.core.createNamespacedPod({
        namespace: 'default',
        body: podOf({ name, image, program: BURN_CPU, nodeName: 'node-1' }),
      });
    try {
      await onlyFree(['node-2', 'node-3']);
      const { nodes } = await eligible(cluster);
      assert.equal(nodes.find(({ node }) => node === 'node-1')?.rule, 'over-threshold');
      watch = await AnalyzerWatch.start(cluster);
      await changeScaledJobs(cluster, [first]);
      await completed(1, [first]);
      await assertRanOnce([first]);
      const [placed] = watch.placements;
      assert.ok(placed);
      assert.notEqual(placed.node, 'node-1');
      assert.equal(placed.node, placed.free[0]?.node, JSON.stringify(placed));
      await watch.stop();
    } finally {
      for (const name of burners)
        await cluster.core.deleteNamespacedPod({
          name,
          namespace: 'default',
          gracePeriodSeconds: 0,
        });
    }
    await onlyFree(NODES);
    watch = await AnalyzerWatch.start(cluster);
    await changeScaledJobs(cluster, [second]);
    await completed(1, [second]);
    await assertRanOnce([second]);
    const [placed] = watch.placements;
    assert.ok(placed);
    assert.equal(placed.node, placed.free[0]?.node, JSON.stringify(placed));
    assert.equal(placed.node, 'node-1', JSON.stringify(placed));
  });

  it('loses no Job and makes none twice while its parts stop, one after the other', async () => {
    await onlyFree(NODES);
    watch = await AnalyzerWatch.start(cluster);

    // Without Prometheus the last readings count for a while, and then nothing is released.
    await cluster.scalePrometheus(0);
    try {
      await onlyFree([]);
      const { nodes } = await eligible(cluster);
      for (const one of nodes.filter(({ node }) => NODES.includes(node)))
        assert.equal(one.rule, 'cpu-unknown', JSON.stringify(one));
      await changeScaledJobs(cluster, SCALED_JOBS);
      await waitUntil('KEDA to have asked for all ten', async () =>
        (await allowed(cluster)).queue.every(({ position }) => position !== null),
      );
      assert.deepEqual(ownersOf(await presentJobs(cluster)), []);
      const { checkout } = await estate();
      for (const one of (await readStatus(checkout)).scaledJobs) {
        assert.equal(one.phase, 'Queued', one.name);
        assert.ok(one.why, one.name);
      }
    } finally {
      await cluster.scalePrometheus(1);
    }

    // The scaler is killed, and comes back.
    await completed(1);
    const deletePods = (namespace: string, labelSelector: string) =>
      cluster.core.deleteCollectionNamespacedPod({
        namespace,
        labelSelector,
        gracePeriodSeconds: 0,
      });
    await deletePods(POSTURE, `app.kubernetes.io/name=${EXTERNAL_SCALER_NAME}`);

    // Without the controller the scaler counts for itself.
    await completed(3);
    await cluster.scaleDeployment(POSTURE, NODE_CONTROLLER_NAME, 0);
    try {
      await waitUntil(
        'the scaler to count for itself',
        async () => (await eligible(cluster)).source === 'own',
        { limitMs: LIMIT_MS },
      );
    } finally {
      await cluster.scaleDeployment(POSTURE, NODE_CONTROLLER_NAME, 2);
    }

    // KEDA starts anew.
    await completed(5);
    await deletePods('keda', 'app=keda-operator');
    await completed(SCALED_JOBS.length);
    await assertRanOnce();
    await waitUntil(
      'the scaler to follow the controller again',
      async () => (await eligible(cluster)).source === 'controller',
      { limitMs: LIMIT_MS },
    );
  });
});
