import assert from 'node:assert/strict';
import {
  EXTERNAL_SCALER_NAME,
  NODE_CONTROLLER_NAME,
  PROMETHEUS_CONFIG_NAME,
} from '../../components/plan';
import { AnalyzerWatch, type Placement } from './support/analyzer-watch';
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
/** A pod is made, bound, runs and ends: so often at least an analyzer's pod changes. */
const LEAST_CHANGES = 3;

describe('event scaling on the real KEDA operator', function () {
  this.timeout(7_200_000);
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

  /**
   * Waits until exactly these nodes may take an analyzer, for the scaler and by their ranks.
   * @param rules by which the scaler refuses others at that time: the controller may have said no before the scaler itself
   */
  async function onlyFree(
    names: readonly string[],
    rules: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    let seen: unknown;
    await waitUntil(
      `only ${names.join(', ') || 'no node'} to be free`,
      async () => {
        const { nodes } = await eligible(cluster);
        const ranked = await ranks(cluster);
        seen = { nodes, ranked: [...ranked] };
        const free = nodes.filter((one) => one.allowed).map(({ node }) => node);
        return (
          free.sort().join() === names.join() &&
          [...ranked.keys()].sort().join() === names.join() &&
          Object.entries(rules).every(
            ([name, rule]) => nodes.find(({ node }) => node === name)?.rule === rule,
          )
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

  /**
   * The present generation of each ran exactly once, on a node of its own with the label. @returns where they were placed.
   * KEDA may be about to make a Job at the moment when its ScaledJob changes: that one is of the generation before.
   */
  async function assertRanOnce(names = SCALED_JOBS): Promise<Placement[]> {
    const jobs = await presentJobs(cluster, names);
    assert.deepEqual(ownersOf(jobs), [...names].sort(), 'a Job was lost or made twice');
    assert.ok(jobs.every(isComplete));
    const seen = watch;
    assert.ok(seen);
    const present = new Set(jobs.map(({ metadata }) => metadata?.name));
    const placed = () => seen.placements.filter(({ job }) => present.has(job));
    // What the Jobs say may be known here before what the watch is told of their pods.
    await waitUntil(
      'the watch to have seen each of them placed',
      async () => placed().length >= names.length && seen.looks >= names.length * LEAST_CHANGES,
      { seen: () => ({ looks: seen.looks, placements: seen.placements }) },
    );
    assert.deepEqual(seen.violations, []);
    assert.deepEqual(
      placed()
        .map(({ scaledJob }) => scaledJob)
        .sort(),
      [...names].sort(),
      'an analyzer was put on a node twice',
    );
    for (const one of seen.placements) assert.ok(one.eligible, JSON.stringify(one));
    return placed();
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
    // A node that is busy with other things all the while gets none, and that is right.
    const used = new Set(watch.placements.map(({ node }) => node));
    assert.ok(used.size > 1, [...used].join());
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

  /**
   * Has a ScaledJob run once more where these nodes alone are free, until they were so for as long as it took to be placed:
   * how busy a node is may change amid it on a busy machine, and with that what was right. @returns where it was placed
   */
  async function placedAmong(
    names: readonly string[],
    scaledJob: string,
    rules: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    for (let left = 20; left > 0; left -= 1) {
      await onlyFree(names, rules);
      watch = await AnalyzerWatch.start(cluster);
      await changeScaledJobs(cluster, [scaledJob]);
      await completed(1, [scaledJob]);
      const [placed] = await assertRanOnce([scaledJob]);
      await watch.stop();
      assert.ok(placed);
      const { node, free, ranked } = placed;
      assert.ok(ranked.includes(node), `${node} had no rank: ${JSON.stringify(placed)}`);
      assert.equal(node, free[0]?.node, JSON.stringify(placed));
      if (ranked.join() === names.join() && free.length === names.length) return node;
    }
    return assert.fail(`${names.join()} alone were never free for long enough`);
  }

  it('gives a node over the threshold none, and one when it has cooled; lower slots fill first', async () => {
    const [first = '', second = ''] = SCALED_JOBS;
    const [scheduler] = await cluster.pods('berth-system', 'app.kubernetes.io/name=cpu-scheduler');
    const image = scheduler?.spec?.containers[0]?.image ?? '';
    await onlyFree(NODES);
    const labels = { role: 'burner-of-the-queue' };
    try {
      for (const name of [1, 2].map((part) => `${labels.role}-${part}`))
        await cluster.core.createNamespacedPod({
          namespace: 'default',
          body: podOf({ name, image, program: BURN_CPU, nodeName: 'node-1', labels }),
        });
      const others = ['node-2', 'node-3'];
      const node = await placedAmong(others, first, { 'node-1': 'over-threshold' });
      assert.equal(node, 'node-2');
    } finally {
      await cluster.core.deleteCollectionNamespacedPod({
        namespace: 'default',
        labelSelector: `role=${labels.role}`,
        gracePeriodSeconds: 0,
      });
    }
    assert.equal(await placedAmong(NODES, second), 'node-1');
  });

  it('loses no Job and makes none twice while its parts stop, one after the other', async () => {
    await onlyFree(NODES);
    watch = await AnalyzerWatch.start(cluster);

    // Without Prometheus the last readings count for a while, and then nothing is released.
    await cluster.scalePrometheus(0);
    try {
      await onlyFree([], Object.fromEntries(NODES.map((node) => [node, 'cpu-unknown'])));
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
