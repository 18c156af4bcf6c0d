import assert from 'node:assert/strict';
import { pino } from 'pino';
import { NodeCpuReadings } from '../../../runtime/node-availability/cpu-readings';
import { MemoryCluster } from '../../../runtime/node-controller/adapters/memory';
import { NodeController } from '../../../runtime/node-controller/loop';
import { nodeControllerMetrics } from '../../../runtime/node-controller/metrics';
import { JobReleases } from '../../../runtime/node-controller/releases';
import { createMetrics } from '../../../runtime/shared/metrics';
import { mapInstances } from '../../../runtime/shared/node-cpu/map-instances';
import type { CpuMetrics } from '../../../runtime/shared/node-cpu/types';
import { FakeClock } from '../analyzer/fake-clock';
import { observed, OPTIONS } from '../node-availability/support';
import { job, pod } from './support';

const log = pino({ level: 'silent' });

async function setUp(ratios: Record<string, number>, lead = true) {
  const clock = new FakeClock();
  const cluster = new MemoryCluster();
  cluster.leading = lead;
  const metrics = nodeControllerMetrics(
    createMetrics('node_controller', { processMetrics: false }),
  );
  const read = (changes: Record<string, number>): void => void Object.assign(ratios, changes);
  // Every look is answered with readings of that moment.
  const source: CpuMetrics & { failure: Error | undefined } = {
    failure: undefined,
    read: async (nodes) => {
      if (source.failure !== undefined) throw source.failure;
      const takenAtMs = clock.nowMs();
      const readings = Object.entries(ratios).map(([node, cpuRatio]) => ({
        node,
        instance: '',
        reading: { cpuRatio, takenAtMs },
      }));
      return { ...mapInstances(readings, nodes), invalid: [] };
    },
  };
  const readings = new NodeCpuReadings(
    source,
    { intervalMs: 10_000, nodes: () => cluster.nodes(), onRead: () => controller.cpuRead() },
    clock,
    log,
  );
  const releases = new JobReleases(cluster, cluster, cluster, log, metrics);
  const controller: NodeController = new NodeController(
    { watch: cluster, readings, labels: cluster, releases, leadership: cluster },
    { intervalMs: 30_000, availability: OPTIONS, manageEligible: false },
    clock,
    log,
    metrics,
  );
  for (const name of Object.keys(ratios)) cluster.setNode(observed(name));
  const end = new AbortController();
  if (lead) controller.startLeading();
  const running = controller.run(end.signal);
  await clock.advance(1);
  const gauge = async () => (await metrics.availableNodes.get()).values[0]?.value;
  const ranks = () =>
    Object.fromEntries(cluster.nodes().map(({ name, labels }) => [name, labels['posture/rank']]));
  const stop = async () => {
    end.abort();
    await running;
  };
  return { clock, cluster, source, metrics, read, readings, controller, gauge, ranks, stop };
}

describe('node controller: loop', () => {
  it('has no count before the first, instead of 0', async () => {
    const { availableNodes } = nodeControllerMetrics(
      createMetrics('node_controller', { processMetrics: false }),
    );
    assert.deepEqual((await availableNodes.get()).values, []);
  });

  it('counts, ranks, and writes only what changed', async () => {
    const { clock, cluster, controller, gauge, ranks, read, stop } = await setUp({
      a: 0.5,
      b: 0.1,
    });
    assert.equal(await gauge(), 2);
    assert.deepEqual(ranks(), { a: '2', b: '1' });
    assert.equal(cluster.patches.length, 2);
    await clock.advance(60_000);
    assert.equal(cluster.patches.length, 2);
    read({ a: 0.05 });
    await clock.advance(60_000);
    assert.deepEqual(ranks(), { a: '1', b: '2' });
    assert.equal(cluster.patches.length, 4);
    const { nodes, leader } = controller.last ?? assert.fail('nothing was counted');
    assert.deepEqual(
      [nodes.map(({ node, rank }) => `${node} ${rank}`), leader],
      [['a 1', 'b 2'], true],
    );
    await stop();
  });

  it('counts soon after a node changed, or the CPU of one passed the threshold', async () => {
    const { clock, cluster, gauge, ranks, read, stop } = await setUp({ a: 0.5, b: 0.1 });
    await clock.advance(5000);
    cluster.setNode(observed('b', { labels: { 'posture/rank': '1' } }));
    await clock.advance(2000);
    assert.equal(await gauge(), 1);
    assert.deepEqual(ranks(), { a: '1', b: undefined });
    read({ a: 0.9 });
    await clock.advance(12_000);
    assert.equal(await gauge(), 0);
    assert.deepEqual(ranks(), { a: undefined, b: undefined });
    await stop();
  });

  it('gives its readings to others while it can read, each with its age', async () => {
    const { clock, source, controller, stop } = await setUp({ a: 0.5, b: 0.1 });
    await clock.advance(4000);
    const ageMs = 4001;
    assert.deepEqual(controller.readings, {
      a: { cpuRatio: 0.5, ageMs },
      b: { cpuRatio: 0.1, ageMs },
    });
    source.failure = new Error('down');
    await clock.advance(10_000);
    assert.equal(controller.readings, undefined);
    await stop();
  });

  it('keeps the last good readings for as long as they may be old, then counts 0 and says why', async () => {
    const { clock, source, controller, gauge, stop } = await setUp({ a: 0.5 });
    source.failure = new Error('down');
    await clock.advance(110_000);
    assert.equal(await gauge(), 1);
    assert.equal(controller.last?.cpuProblem, 'other: down');
    await clock.advance(30_000);
    assert.equal(await gauge(), 0);
    assert.match(controller.last?.nodes[0]?.why ?? '', /reading is \d+ s old, more than 120 s/);
    await stop();
  });

  it('counts where it does not lead, and writes nothing', async () => {
    const { clock, cluster, controller, gauge, stop } = await setUp({ a: 0.5 }, false);
    cluster.setJob(job('one'));
    await clock.advance(60_000);
    assert.equal(await gauge(), 1);
    assert.deepEqual([cluster.patches, cluster.released], [[], []]);
    assert.equal(controller.last?.leader, false);
    assert.equal(controller.last?.nodes[0]?.rank, 1);
    await stop();
  });

  it('writes nothing when the Lease is lost, at once, even before it was told so', async () => {
    const { clock, cluster, controller, read, stop } = await setUp({ a: 0.5, b: 0.1 });
    cluster.leading = false;
    read({ a: 0.05 });
    cluster.setJob(job('one'));
    await clock.advance(60_000);
    assert.deepEqual([cluster.patches.length, cluster.released], [2, []]);
    controller.stopLeading();
    cluster.leading = true;
    await clock.advance(60_000);
    assert.deepEqual([cluster.patches.length, cluster.released], [2, []]);
    controller.startLeading();
    await clock.advance(2000);
    assert.deepEqual([cluster.patches.length, cluster.released], [4, ['one']]);
    await stop();
  });

  it('tries again what failed', async () => {
    const { clock, cluster, read, ranks, stop } = await setUp({ a: 0.5, b: 0.1 });
    cluster.broken = 'refused';
    read({ a: 0.05 });
    cluster.setJob(job('one'));
    await clock.advance(40_000);
    assert.deepEqual([ranks(), cluster.released], [{ a: '2', b: '1' }, []]);
    cluster.broken = undefined;
    await clock.advance(31_000);
    assert.deepEqual([ranks(), cluster.released], [{ a: '1', b: '2' }, ['one']]);
    await stop();
  });

  it('releases Jobs as berths get free, each once', async () => {
    const { clock, cluster, stop } = await setUp({ a: 0.5, b: 0.1 });
    for (const n of [1, 2, 3]) cluster.setJob(job(`j${n}`, { createdAtMs: n }));
    await clock.advance(60_000);
    assert.deepEqual(cluster.released, ['j1', 'j2']);
    cluster.setPod(pod('p1', { jobUid: 'uid-j1', nodeName: 'a' }));
    cluster.setPod(pod('p2', { jobUid: 'uid-j2', nodeName: 'b' }));
    await clock.advance(60_000);
    assert.deepEqual(cluster.released, ['j1', 'j2']);
    cluster.setPod(pod('p1', { jobUid: 'uid-j1', nodeName: 'a', ended: true }));
    cluster.setJob(job('j1', { suspended: false, ended: true }));
    await clock.advance(2000);
    assert.deepEqual(cluster.released, ['j1', 'j2', 'j3']);
    await stop();
  });
});
