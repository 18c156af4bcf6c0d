import assert from 'node:assert/strict';
import { pino } from 'pino';
import { MemoryEvents } from '../../../runtime/autoscaler/adapters/memory-events';
import { autoscalerMetrics } from '../../../runtime/autoscaler/metrics';
import { operationSettings, scalingSettings } from '../../../runtime/autoscaler/settings';
import { Term } from '../../../runtime/autoscaler/term';
import type { Decision, Operation } from '../../../runtime/autoscaler/types';
import type { Clock } from '../../../runtime/shared/clock';
import { parseSettings } from '../../../runtime/shared/settings';
import { World } from './faults';
import { snapshot, waiting } from './support';

/** A term over a world in memory, whose time passes whenever something waits; it ends at the given decision. */
class Play {
  leads = true;
  readonly decisions: Decision[] = [];
  readonly term: Term;

  constructor(
    readonly world: World,
    env: Readonly<Record<string, string>>,
    decided: (play: Play) => void,
  ) {
    const { docker, live, history, disruptions } = world;
    const clock: Clock = {
      nowMs: () => docker.nowMs,
      monotonicMs: () => docker.nowMs,
      sleep: async (ms, signal) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (!signal?.aborted) docker.advance(ms);
      },
    };
    this.term = new Term({
      outside: { containers: docker, cluster: docker, live, history, disruptions, clock },
      leadership: { isLeader: () => this.leads },
      settings: parseSettings({ ...scalingSettings, ...operationSettings }, env),
      metrics: autoscalerMetrics(),
      events: new MemoryEvents(),
      log: pino({ level: 'silent' }),
      // Nothing is known of what nodes use, so that only the pod that waits makes it do something.
      observe: () => snapshot({ workers: [1, 2], cpu: null, pending: [waiting({ cpu: '3' })] }),
      decided: (decision) => {
        this.decisions.push(decision);
        decided(this);
      },
    });
  }
}

const OPEN: Operation = {
  ...{ kind: 'up', step: 'create', worker: 'k3s-worker-3', number: 3 },
  ...{ id: 'open', reason: 'r', startedAtMs: 0 },
};

async function play(
  decided: (play: Play) => void,
  env: Readonly<Record<string, string>> = {},
): Promise<Play> {
  const world = new World();
  await world.populate(2);
  return new Play(world, env, decided);
}

describe('autoscaler: a term of leadership', () => {
  it('writes down who is permanent, and reconciles before it decides', async () => {
    let records: number | undefined;
    const one = await play(({ term, world }) => {
      records ??= term.loop.lastReconciliation?.fixed.length;
      if (world.docker.made.length > 0) term.end();
    });
    await one.world.live.removeWorker('k3s-worker-2');
    await one.term.run();
    assert.equal(records, 1);
    assert.deepEqual(one.world.live.permanent, ['k3s-worker-1', 'k3s-worker-2']);
    assert.deepEqual(one.world.docker.made, ['k3s-worker-3']);
  });

  it('waits until the journal can be read', async () => {
    const one = await play(({ term }) => term.end());
    const { live } = one.world;
    const operations = live.operations.bind(live);
    let asked = 0;
    live.operations = () => {
      asked += 1;
      return asked <= 3 ? Promise.reject(new Error('away')) : operations();
    };
    await one.term.run();
    assert.equal(one.decisions.length, 1);
    assert.ok(asked > 3);
  });

  it('ends while the journal cannot be read, without a decision', async () => {
    const one = await play(() => undefined);
    one.world.live.operations = () => {
      setImmediate(() => one.term.end());
      return Promise.reject(new Error('away'));
    };
    await one.term.run();
    assert.equal(one.decisions.length, 0);
  });

  it('changes nothing from the moment on at which it leads no longer, told or not', async () => {
    const one = await play((now) => {
      now.leads = false;
      if (now.decisions.length === 5) now.term.end();
    });
    await one.term.run();
    assert.equal(one.decisions[0]?.kind, 'up');
    assert.deepEqual(one.world.docker.made, []);
    assert.deepEqual(await one.world.live.operations(), []);
    assert.equal(await one.world.live.counter(), 2);
  });

  it('changes nothing in a dry run, and says what it would mend', async () => {
    let found: number | undefined;
    const stop = ({ term, decisions }: Play): void => {
      found ??= term.loop.lastReconciliation?.found.length;
      if (decisions.length === 5) term.end();
    };
    const one = await play(stop, { DRY_RUN: 'true' });
    await one.world.live.saveOperation(OPEN);
    await one.world.live.removeWorker('k3s-worker-2');
    await one.term.run();
    assert.ok((found ?? 0) > 0);
    assert.deepEqual(await one.world.live.operations(), [OPEN]);
    assert.deepEqual(one.world.live.permanent, []);
    assert.deepEqual(one.world.docker.made, []);
    assert.equal((await one.world.live.workers()).length, 1);
  });
});
