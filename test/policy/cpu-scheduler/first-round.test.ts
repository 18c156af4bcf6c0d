import assert from 'node:assert/strict';
import { pino } from 'pino';
import { Cluster } from '../../../runtime/cpu-scheduler/loop/cluster';
import { ReadingLoop } from '../../../runtime/cpu-scheduler/loop/readings';
import { cpuSchedulerMetrics } from '../../../runtime/cpu-scheduler/metrics';
import { choose } from '../../../runtime/cpu-scheduler/policy/choose';
import { NO_ROUND, nextRound, type Round } from '../../../runtime/cpu-scheduler/policy/first-round';
import { createMetrics } from '../../../runtime/shared/metrics';
import { MemoryCpu } from '../../../runtime/shared/node-cpu/memory-cpu';
import { NO_CONTEXT, NOW_MS, SETTINGS, node, pod } from './support';

describe('cpu-scheduler: the first round of readings', () => {
  const partial: Round = { state: 'partial', sinceMs: 1000 };
  const whole: Round = { state: 'whole' };
  const cases: [string, Round, { fresh: number; ready: number }, number, Round][] = [
    ['nothing is known', NO_ROUND, { fresh: 0, ready: 3 }, 1000, NO_ROUND],
    ['the first of three comes', NO_ROUND, { fresh: 1, ready: 3 }, 1000, partial],
    ['the second comes', partial, { fresh: 2, ready: 3 }, 11_000, partial],
    ['all are there', partial, { fresh: 3, ready: 3 }, 11_000, whole],
    ['all come at once', NO_ROUND, { fresh: 3, ready: 3 }, 1000, whole],
    ['the wait is not over', partial, { fresh: 1, ready: 3 }, 30_999, partial],
    ['the wait is over', partial, { fresh: 1, ready: 3 }, 31_000, whole],
    ['a node joins later', whole, { fresh: 3, ready: 4 }, 1000, whole],
    ['all readings are lost', whole, { fresh: 0, ready: 3 }, 1000, NO_ROUND],
  ];
  for (const [what, before, counts, nowMs, after] of cases)
    it(`is ${after.state} when ${what}`, () =>
      assert.deepEqual(nextRound(before, counts, 30_000, nowMs), after));

  it('spreads a burst over nodes of which only one has been read yet, and then goes by what was read', async () => {
    const settings = { ...SETTINGS, cpuPollIntervalMs: 10_000, partialRoundWaitMs: 30_000 };
    const cluster = new Cluster(settings);
    const cpu = new MemoryCpu();
    let nowMs = NOW_MS;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => undefined };
    const loop = new ReadingLoop(
      ...([cluster, cpu, settings, clock, pino({ level: 'silent' })] as const),
      cpuSchedulerMetrics(createMetrics('test', { processMetrics: false })),
    );
    for (const name of ['a', 'b', 'c']) cluster.setNode(node(name), nowMs);
    cluster.setNode(node('gone', { ready: false }), nowMs);
    const read = async (ratios: Record<string, number>) => {
      cpu.readings = Object.entries(ratios).map(([name, cpuRatio]) => ({
        ...{ node: name, instance: '', reading: { cpuRatio, takenAtMs: nowMs } },
      }));
      await loop.once();
    };
    const place = (name: string) => {
      const one = pod({ name, cpu: '100m' });
      const decision = choose(one, cluster, NO_CONTEXT, settings, nowMs);
      assert.equal(decision.kind, 'bind', JSON.stringify(decision));
      if (decision.kind === 'bind') cluster.assume(one, decision.chosen.node, nowMs);
      return decision.kind === 'bind' ? decision.chosen : undefined;
    };

    await read({ b: 0.1 });
    assert.equal(loop.state.fallback, true);
    assert.match(loop.state.problem ?? '', /^2 of 3 nodes have no fresh CPU reading yet: a, c$/);
    const burst = Array.from({ length: 9 }, (_, index) => place(`early-${index}`)?.node);
    for (const name of ['a', 'b', 'c'])
      assert.equal(burst.filter((on) => on === name).length, 3, JSON.stringify(burst));

    nowMs += 10_000;
    await read({ a: 0.5, b: 0.4, c: 0.1 });
    assert.equal(loop.state.fallback, false);
    assert.equal(loop.state.problem, undefined);
    const later = place('later');
    assert.deepEqual([later?.node, later?.cpu.basis], ['c', 'measured']);

    nowMs += 40_000;
    await read({ b: 0.1 });
    assert.equal(
      loop.state.fallback,
      false,
      'a round that was whole stays so while a node is read',
    );
  });
});
