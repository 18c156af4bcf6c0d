import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Operations } from '../../../runtime/autoscaler/operations/operations';
import { World, type Fault } from './faults';

type Act = (operations: Operations) => Promise<unknown>;
const up =
  (count = 1): Act =>
  (operations) =>
    operations.scaleUp(count, 'test');
const down =
  (...numbers: number[]): Act =>
  (operations) =>
    operations.scaleDown(
      numbers.map((number) => `k3s-worker-${number}`),
      'test',
    );

async function world(workers: number, env: Record<string, string> = {}): Promise<World> {
  const made = new World(env);
  await made.populate(workers);
  return made;
}

/** Nothing is in one place and not in the others, all that is there works, and no number was used twice. */
async function assertWhole(one: World): Promise<void> {
  const { containers, nodes, passwords, records } = await one.everywhere();
  assert.deepEqual(nodes, containers, 'nodes');
  assert.deepEqual(passwords, containers, 'passwords');
  assert.deepEqual(records, containers, 'records');
  for (const node of one.docker.known.values()) {
    assert.equal(node.ready, true, `${node.name} is Ready`);
    assert.equal(node.cordoned, false, `${node.name} takes pods`);
  }
  assert.equal(new Set(one.docker.made).size, one.docker.made.length, 'made once each');
}

describe('autoscaler: adding a worker', () => {
  it('ends with a Ready node, a record, an event and a cooldown', async () => {
    const one = await world(2);
    await one.life([], up());
    await assertWhole(one);
    assert.deepEqual((await one.everywhere()).containers, [
      'k3s-worker-1',
      'k3s-worker-2',
      'k3s-worker-3',
    ]);
    const [event] = await one.live.recentEvents(1);
    assert.equal(event?.outcome, 'done');
    assert.equal(await one.live.scaledAtMs('up'), one.docker.nowMs);
    assert.deepEqual(await one.live.operations(), []);
    assert.equal(one.history.records.has('k3s-worker-3'), true);
  });

  it('leaves nothing when the node never registers', async () => {
    const one = await world(2);
    one.docker.broken.add('k3s-worker-3');
    await one.life([], up());
    await assertWhole(one);
    assert.equal((await one.everywhere()).containers.length, 2);
    const [event] = await one.live.recentEvents(1);
    assert.equal(event?.outcome, 'undone');
    assert.match(event?.reason ?? '', /register: node k3s-worker-3 registered: not in time/);
    assert.equal(
      await one.live.scaledAtMs('up'),
      one.docker.nowMs,
      'it is not tried again at once',
    );
  });

  it('skips numbers that are taken, and touches nothing of theirs', async () => {
    const one = await world(2);
    one.docker.addWorker('k3s-worker-3', 'another');
    await one.life([], up());
    assert.equal(one.docker.containers.get('k3s-worker-3')?.operation, 'another');
    assert.deepEqual(one.docker.made, ['k3s-worker-4']);
  });

  it('never passes the maximum, however many ask at once', async () => {
    const one = await world(4);
    await one.life([], (operations) => Promise.all([up(2)(operations), up(2)(operations)]));
    assert.equal((await one.everywhere()).containers.length, 6);
    await assertWhole(one);
  });

  it('is bounded in how many run at once', async () => {
    const one = await world(2, { OPERATION_CONCURRENCY: '2', MAX_NODES: '20' });
    let most = 0;
    const { create } = one.docker;
    one.docker.create = async (...parameters) => {
      await create.apply(one.docker, parameters);
      const starting = [...one.docker.containers.keys()].filter(
        (n) => !one.docker.known.get(n)?.ready,
      );
      most = Math.max(most, starting.length);
    };
    await one.life([], up(8));
    assert.equal((await one.everywhere()).containers.length, 10);
    assert.equal(most, 2);
  });

  it('does not depend on the history', async () => {
    const one = await world(2);
    one.history.away = new Error('away');
    await one.life([], up());
    await assertWhole(one);
    assert.deepEqual(one.problems, ['the history could not be written']);
    assert.equal((await one.live.unsentEvents(9)).length, 1);
  });
});

describe('autoscaler: removing a worker', () => {
  it('evicts its pods and leaves nothing of it', async () => {
    const one = await world(3);
    one.docker.addPod({ node: 'k3s-worker-3', name: 'a' });
    await one.life([], down(3));
    await assertWhole(one);
    assert.equal((await one.everywhere()).containers.length, 2);
    assert.equal(one.docker.pods.size, 0);
    assert.equal(await one.live.scaledAtMs('down'), one.docker.nowMs);
    assert.equal(one.history.records.get('k3s-worker-3')?.removedAtMs, one.docker.nowMs);
  });

  for (const [what, pod, why] of [
    [
      'a disruption budget forbids it',
      { protected: true },
      /not in time \(last: pod ns\/a: a disruption/,
    ],
    ['a pod has no controller', { controlled: false }, /has no controller/],
  ] as const) {
    it(`keeps the node, uncordoned, where ${what}`, async () => {
      const one = await world(3);
      one.docker.addPod({ node: 'k3s-worker-3', name: 'a', ...pod });
      await one.life([], down(3));
      await assertWhole(one);
      assert.equal((await one.everywhere()).containers.length, 3);
      assert.equal(one.docker.pods.size, 1);
      const [event] = await one.live.recentEvents(1);
      assert.equal(event?.outcome, 'undone');
      assert.match(event?.reason ?? '', why);
      assert.equal((await one.live.workers()).at(-1)?.status, 'ready');
      assert.equal(await one.live.scaledAtMs('down'), one.docker.nowMs, 'nor at once again');
    });
  }

  it('a node that was cordoned before stays so when it is kept', async () => {
    const one = await world(3);
    one.docker.addPod({ node: 'k3s-worker-3', name: 'a', protected: true });
    await one.docker.setCordoned('k3s-worker-3', true);
    await one.life([], down(3));
    assert.equal(one.docker.known.get('k3s-worker-3')?.cordoned, true);
  });

  it('refuses permanent workers, other names, and what would pass the minimum, two at once as well', async () => {
    const one = await world(4, { MIN_NODES: '3' });
    const answers: unknown[] = [];
    await one.life([], async (operations) => {
      answers.push((await operations.scaleDown(['k3s-worker-1', 'web-1'], 'test')).refused);
      const [a, b] = await Promise.all([
        operations.scaleDown(['k3s-worker-4'], 'test'),
        operations.scaleDown(['k3s-worker-3'], 'test'),
      ]);
      answers.push(a.refused, b.refused);
    });
    assert.deepEqual(answers, [
      [
        { worker: 'k3s-worker-1', why: 'it is permanent' },
        { worker: 'web-1', why: 'it is not named k3s-worker-N' },
      ],
      [],
      [{ worker: 'k3s-worker-3', why: 'without it 2 Ready workers are left of at least 3' }],
    ]);
    assert.equal((await one.everywhere()).containers.length, 3);
  });

  it('keeps the node when another one failed while it was drained', async () => {
    const one = await world(3);
    one.docker.addPod({ node: 'k3s-worker-3', name: 'a' });
    const { evict } = one.docker;
    one.docker.evict = async (pod) => {
      await one.docker.remove('k3s-worker-2');
      return evict.call(one.docker, pod);
    };
    await one.life([], down(3));
    assert.equal(one.docker.containers.has('k3s-worker-3'), true);
    assert.equal(one.docker.known.get('k3s-worker-3')?.cordoned, false);
    assert.match((await one.live.recentEvents(1))[0]?.reason ?? '', /without it 1 Ready/);
  });
});

describe('autoscaler: killed at any step and started again', () => {
  const scenarios: [string, number, Act, (one: World) => void, Record<string, string>?][] = [
    ['adding one', 2, up(), () => undefined],
    ['adding three', 2, up(3), () => undefined],
    [
      'adding one that never registers',
      2,
      up(),
      (one) => void one.docker.broken.add('k3s-worker-3'),
    ],
    ['adding one that never is Ready', 2, up(), (one) => void one.docker.sick.add('k3s-worker-3')],
    ['removing one', 3, down(3), (one) => one.docker.addPod({ node: 'k3s-worker-3', name: 'a' })],
    [
      'removing two',
      4,
      down(4, 3),
      (one) => one.docker.addPod({ node: 'k3s-worker-4', name: 'a' }),
    ],
    [
      'a drain that cannot finish',
      3,
      down(3),
      (one) => one.docker.addPod({ node: 'k3s-worker-3', name: 'a', protected: true }),
      { DRAIN_LIMIT_MS: '10000' },
    ],
  ];
  for (const [what, workers, act, prepare, env] of scenarios) {
    for (const kind of ['kill', 'fail'] as const) {
      it(`${what}: ${kind === 'kill' ? 'killed at' : 'a failure of'} every call`, async () => {
        const whole = await world(workers, env);
        prepare(whole);
        const { calls } = await whole.life([], act);
        let struck = 0;
        for (let at = 0; at < calls; at += 1) {
          for (const when of ['before', 'after'] as const) {
            const one = await world(workers, env);
            prepare(one);
            const { how } = await one.life([{ at, what: kind, when }], act);
            if (how !== 'ended') struck += 1;
            await one.recover();
            await assertWhole(one).catch((error: unknown) => {
              throw new Error(`${kind} ${when} call ${at} of ${calls}`, { cause: error });
            });
            assert.ok(one.fewestReady >= 2, `${one.fewestReady} were left`);
          }
        }
        if (kind === 'kill') assert.equal(struck, calls * 2, 'each life was cut short');
      });
    }
  }

  it('whatever goes wrong, and how often', async () => {
    const fault = fc.record<Fault>({
      at: fc.integer({ min: 0, max: 40 }),
      what: fc.constantFrom('kill', 'fail'),
      when: fc.constantFrom('before', 'after'),
    });
    const lives = fc.array(
      fc.record({
        faults: fc.array(fault, { maxLength: 3 }),
        act: fc.oneof(
          fc.constantFrom(1, 2, 3).map((count) => ({ up: count })),
          fc
            .uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 3 })
            .map((going) => ({ going })),
        ),
      }),
      { minLength: 1, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(lives, fc.subarray([3, 4, 5]), async (plan, broken) => {
        const one = await world(4);
        for (const number of broken)
          one.docker[number % 2 ? 'broken' : 'sick'].add(`k3s-worker-${number + 2}`);
        one.docker.addPod({ node: 'k3s-worker-3', name: 'a' });
        for (const { faults, act } of plan)
          await one.life(faults, async (operations) => {
            await operations.resume();
            await ('up' in act ? up(act.up)(operations) : down(...act.going)(operations));
          });
        await one.recover();
        await assertWhole(one);
        assert.ok(one.fewestReady >= 2, `${one.fewestReady} were left`);
        assert.ok((await one.everywhere()).containers.length <= 6);
      }),
      { seed: 42, numRuns: 200 },
    );
  });
});
