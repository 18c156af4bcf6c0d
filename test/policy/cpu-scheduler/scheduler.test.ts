import assert from 'node:assert/strict';
import { pino } from 'pino';
import { MemoryPods } from '../../../runtime/cpu-scheduler/adapters/memory';
import { Scheduler } from '../../../runtime/cpu-scheduler/loop/scheduler';
import { cpuSchedulerMetrics } from '../../../runtime/cpu-scheduler/metrics';
import type { BindOutcome, ClusterSink } from '../../../runtime/cpu-scheduler/ports';
import { cpuSchedulerSettings } from '../../../runtime/cpu-scheduler/settings';
import { systemClock } from '../../../runtime/shared/clock';
import { MemoryDisruptions } from '../../../runtime/shared/disruptions/memory-disruptions';
import { MemoryCpu } from '../../../runtime/shared/node-cpu/memory-cpu';
import { createMetrics } from '../../../runtime/shared/metrics';
import { parseSettings } from '../../../runtime/shared/settings';
import { node, pod } from './support';

/** Gives the answers it is told to, and else what the pods in memory give. */
class ScriptedBinder extends MemoryPods {
  readonly script: BindOutcome[] = [];
  /** Names of the pods that were sent to be bound, in order. */
  readonly sent: string[] = [];
  override async bind(...args: Parameters<MemoryPods['bind']>): Promise<BindOutcome> {
    this.sent.push(args[0].name);
    const next = this.script.shift();
    if (next === undefined) return super.bind(...args);
    // An answer that was lost: it was carried out all the same.
    if (next.kind === 'unknown') await super.bind(...args);
    return next;
  }
}

describe('cpu-scheduler: placing, with all that is outside in memory', () => {
  let binder: ScriptedBinder;
  let sink: ClusterSink;
  let leads: boolean;
  let scheduler: Scheduler;
  let notices: string[];
  let stop: AbortController;
  let ended: Promise<void>;

  beforeEach(async () => {
    binder = new ScriptedBinder();
    leads = true;
    notices = [];
    stop = new AbortController();
    const cpu = new MemoryCpu();
    cpu.readings = ['a', 'b'].map((name) => ({
      ...{ node: name, instance: '' },
      reading: { cpuRatio: 0.1, takenAtMs: Date.now() },
    }));
    scheduler = new Scheduler(
      {
        watch: { synced: true, run: async (given) => void (sink = given) },
        ...{ cpu, binder, evictor: binder, disruptions: new MemoryDisruptions(systemClock) },
        notices: {
          scheduled: ({ name }, on) => notices.push(`${name} on ${on}`),
          failedScheduling: ({ name }, message) => notices.push(`${name}: ${message}`),
          readingsUnknown: ({ name }) => notices.push(`${name}: no readings`),
          offloaded: () => undefined,
        },
        leadership: { isLeader: () => leads },
      },
      parseSettings(cpuSchedulerSettings, { BACKOFF_MIN_MS: '10', BACKOFF_MAX_MS: '10' }),
      systemClock,
      pino({ level: 'silent' }),
      cpuSchedulerMetrics(createMetrics('test', { processMetrics: false })),
    );
    ended = scheduler.run(stop.signal);
    for (const name of ['a', 'b']) sink.setNode(node(name));
    await scheduler.startLeading();
  });
  afterEach(async () => {
    stop.abort();
    await ended;
  });

  const add = (name: string) => {
    const one = pod({ name });
    binder.add({ uid: one.uid, namespace: one.namespace, name });
    sink.setPending(one);
    return one;
  };
  const until = async (holds: () => boolean) => {
    for (let tries = 0; !holds(); tries++) {
      assert.ok(tries < 6000, `not in time: ${JSON.stringify([binder.sent, notices])}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const onNodes = () => [...scheduler.cluster.all].map(({ podCount }) => podCount);

  it('binds each pod once, and says so', async () => {
    for (const name of ['p', 'q']) add(name);
    await until(() => notices.length === 2);
    assert.deepEqual(notices, ['p on a', 'q on b']);
    assert.deepEqual(binder.sent, ['p', 'q']);
    assert.equal(scheduler.queue.size, 0);
  });

  it('a pod it has bound is not bound again when the watch is late', async () => {
    const one = add('p');
    await until(() => notices.length === 1);
    sink.setPending(one);
    await until(() => scheduler.queue.size === 0);
    assert.deepEqual(binder.sent, ['p']);
  });

  it('looks before it does anything else when the outcome of a binding is unknown', async () => {
    binder.script.push({ kind: 'unknown', message: 'no answer' });
    add('p');
    await until(() => notices.length === 1);
    assert.deepEqual(binder.sent, ['p']);
    assert.deepEqual(onNodes(), [1, 0]);
  });

  it('tries again what was refused, and gives its room back meanwhile', async () => {
    binder.script.push(
      { kind: 'retry', message: 'conflict' },
      { kind: 'retry', message: 'conflict' },
    );
    add('p');
    await until(() => notices.length === 1);
    assert.deepEqual(binder.sent, ['p', 'p', 'p']);
    assert.deepEqual(onNodes(), [1, 0]);
  });

  for (const outcome of [{ kind: 'gone' }, { kind: 'taken', node: 'b' }] as const) {
    it(`drops a pod that is ${outcome.kind}, with the room it was given`, async () => {
      binder.script.push(outcome);
      add('p');
      await until(() => binder.sent.length === 1 && scheduler.queue.size === 0);
      assert.deepEqual(onNodes(), [0, 0]);
      assert.deepEqual(notices, []);
    });
  }

  it('sends nothing once it is not the leader, and goes on where it was when it is again', async () => {
    leads = false;
    add('p');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(binder.sent, []);
    leads = true;
    await until(() => notices.length === 1);
    assert.deepEqual(binder.sent, ['p']);
  });
});
