import assert from 'node:assert/strict';
import { MemoryEvents } from '../../../runtime/autoscaler/adapters/memory-events';
import { Loop, type LoopParts } from '../../../runtime/autoscaler/loop';
import { autoscalerMetrics } from '../../../runtime/autoscaler/metrics';
import { World, type Fault } from './faults';
import { settings, snapshot, waiting, worker } from './support';

/** What the world shows: nodes as they are, the load as it is told. */
class Play {
  readonly events = new MemoryEvents();
  readonly metrics = autoscalerMetrics();
  pending = 0;
  ratio: number | null = 0.5;
  env: Record<string, string> = {};

  constructor(readonly world: World) {}

  observe = (): ReturnType<LoopParts['observe']> => {
    const workers = [...this.world.docker.known.values()].map(({ name, ready, cordoned }) =>
      worker(Number(name.slice('k3s-worker-'.length)), {
        ready,
        spec: { unschedulable: cordoned },
      }),
    );
    const pending = Array.from({ length: this.pending }, (_, index) =>
      waiting({ name: `p${index}`, cpu: '3' }),
    );
    return snapshot({ workers, pending, cpu: this.ratio, memory: this.ratio });
  };

  /** A life of the service. @throws what fails in it, unless it was killed. */
  async life(act: (loop: Loop) => Promise<unknown>, faults: readonly Fault[] = []): Promise<void> {
    let failure: unknown;
    await this.world.life(faults, async (operations, context) => {
      const { metrics, events, observe } = this;
      const limits = settings({ READING_MAX_AGE_MS: '600000', ...this.env });
      const parts = { operations, context, metrics, events, observe, settings: limits };
      await act(new Loop(parts)).catch((error: unknown) => (failure = error));
    });
    if (failure !== undefined) throw failure;
  }

  names = (): string[] => this.events.sent.map(({ name }) => name);
}

async function play(workers: number): Promise<Play> {
  const world = new World();
  await world.populate(workers);
  return new Play(world);
}
const count = async (one: Play): Promise<number> =>
  (await one.world.everywhere()).containers.length;

describe('autoscaler: the loop', () => {
  it('decides nothing before it knows what an earlier life has left', async () => {
    const one = await play(2);
    one.pending = 1;
    await one.life(async (loop) => {
      assert.equal(loop.cycle(), undefined);
      await loop.start();
      assert.equal(loop.cycle()?.kind, 'up');
    });
  });

  it('adds what pods wait for, tells of it, and keeps its distance', async () => {
    const one = await play(2);
    one.pending = 2;
    await one.life(async (loop) => {
      await loop.start();
      assert.equal(loop.cycle()?.kind, 'up');
      assert.equal(loop.cycle(), undefined, 'not while operations are beginning');
      await loop.settled();
      assert.equal(await count(one), 4);
      assert.equal(loop.cycle()?.kind, 'hold');
    });
    assert.deepEqual(one.names(), [
      ...['PendingPodsDetected', 'ScalingCompleted', 'ScalingCompleted'],
      ...['PendingPodsDetected', 'OptimalStateTrigger'],
    ]);
    const text = await one.metrics.registry.metrics();
    assert.ok(text.includes('autoscaler_scale_up_events_total{outcome="done"} 2'));
  });

  it('the next life knows the cooldown of this one', async () => {
    const one = await play(2);
    one.pending = 1;
    await one.life(async (loop) => {
      await loop.start();
      loop.cycle();
      await loop.settled();
    });
    await one.life(async (loop) => {
      await loop.start();
      assert.match(loop.cycle()?.reason ?? '', /grew lately/);
    });
  });

  it('removes the last in when little is used', async () => {
    const one = await play(4);
    one.ratio = 0.1;
    await one.life(async (loop) => {
      await loop.start();
      const decision = loop.cycle();
      assert.deepEqual(decision?.kind === 'down' && decision.nodes, ['k3s-worker-4']);
      await loop.settled();
    });
    assert.equal(await count(one), 3);
  });

  it('changes nothing in a dry run', async () => {
    const one = await play(2);
    one.pending = 1;
    one.env = { DRY_RUN: 'true' };
    await one.life(async (loop) => {
      await loop.start();
      assert.equal(loop.cycle()?.kind, 'up');
      await loop.settled();
    });
    assert.deepEqual(one.world.docker.made, []);
  });

  it('takes up what a killed life has left, and counts it before it decides', async () => {
    for (let at = 6; at < 16; at += 1) {
      const one = await play(2);
      one.pending = 1;
      const begin = async (loop: Loop) => {
        await loop.start();
        loop.cycle();
        await loop.settled();
      };
      await one.life(begin, [{ at, what: 'kill', when: 'after' }]);
      const open = (await one.world.live.operations()).length;
      await one.life(async (loop) => {
        await loop.start();
        if (open > 0) assert.notEqual(loop.cycle()?.kind, 'up', `killed at ${at}`);
        await loop.settled();
      });
      assert.ok((await count(one)) <= 3, `killed at ${at}`);
      assert.deepEqual(await one.world.live.operations(), []);
    }
  });

  it('tells when a node is not Ready any more, and enforces the minimum', async () => {
    const one = await play(2);
    await one.life(async (loop) => {
      await loop.start();
      loop.cycle();
      await one.world.docker.remove('k3s-worker-2');
      loop.cycle();
      await one.world.docker.deleteNode('k3s-worker-2');
      assert.equal(loop.cycle()?.kind, 'up');
      await loop.settled();
    });
    assert.deepEqual(one.names(), [
      ...[
        'OptimalStateTrigger',
        'NodeHealthDegraded',
        'MinimumNodeEnforcement',
        'ScalingCompleted',
      ],
    ]);
  });

  it('reconciles, counts it and tells of it', async () => {
    const one = await play(2);
    await one.world.live.removeWorker('k3s-worker-2');
    await one.life(async (loop) => {
      assert.equal((await loop.reconcile()).fixed.length, 1);
    });
    assert.deepEqual(one.names(), ['ClusterStateSynced']);
    const text = await one.metrics.registry.metrics();
    assert.ok(text.includes('issues_fixed_total{type="missing_redis"} 1'));
  });
});
