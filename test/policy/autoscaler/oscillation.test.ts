import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pino } from 'pino';
import { MemoryEvents } from '../../../runtime/autoscaler/adapters/memory-events';
import { autoscalerMetrics } from '../../../runtime/autoscaler/metrics';
import { operationSettings, scalingSettings } from '../../../runtime/autoscaler/settings';
import { Term } from '../../../runtime/autoscaler/term';
import { parseSettings } from '../../../runtime/shared/settings';
import { World } from './faults';
import { snapshot, waiting, worker } from './support';
import { VirtualTime } from './virtual-time';

const FIVE_MINUTES_MS = 300_000;
const SECOND_MS = 1000;

/** What pods wait for and what nodes use at one time. */
interface Load {
  readonly pending: number;
  readonly ratio: number;
}
type Settings = Readonly<Record<string, string>>;

/**
 * What there may be at most in so much time, whatever the load does, if there are MIN_NODES workers at its beginning.
 * A removal is decided SCALE_DOWN_COOLDOWN after any operation before it, and there is nothing to remove before the first
 * growth: so floor(time / SCALE_DOWN_COOLDOWN) removals, each of MAX_SCALE_DOWN workers. A worker is created in the room
 * that there is up to MAX_NODES, or in the place of one that was removed. A series of removals is a turn when it begins
 * and another one when it ends.
 */
function boundOf(settings: ReturnType<typeof parsed>, timeMs: number) {
  const { minNodes, maxNodes, maxScaleDown, scaleDownCooldownMs } = settings;
  const removals = Math.floor(timeMs / scaleDownCooldownMs);
  return { created: maxNodes - minNodes + removals * maxScaleDown, reversals: 2 * removals };
}

const parsed = (env: Settings) =>
  parseSettings(
    { ...scalingSettings, ...operationSettings },
    { READING_MAX_AGE_MS: '600000', ...env },
  );

/** Five minutes of a load, before the decisions and operations of the service, in a world in memory. */
async function play(loadAt: (atMs: number) => Load, env: Settings = {}) {
  const settings = parsed(env);
  const world = new World(env);
  await world.populate(settings.minNodes);
  const { docker, live, history, disruptions } = world;
  const startMs = docker.nowMs;
  const time = new VirtualTime(docker);
  const moves: { readonly kind: 'up' | 'down'; readonly atMs: number }[] = [];
  const term: Term = new Term({
    outside: { containers: docker, cluster: docker, live, history, disruptions, clock: time.clock },
    leadership: { isLeader: () => true },
    ...{ settings, metrics: autoscalerMetrics(), events: new MemoryEvents() },
    log: pino({ level: 'silent' }),
    observe: () => {
      const { pending, ratio } = loadAt(docker.nowMs - startMs);
      const workers = [...docker.known.values()].map(({ name, ready, cordoned }) =>
        worker(Number(name.slice('k3s-worker-'.length)), {
          ...{ ready, spec: { unschedulable: cordoned } },
        }),
      );
      assert.ok(workers.length >= settings.minNodes && workers.length <= settings.maxNodes);
      const pods = Array.from({ length: pending }, (_, n) => waiting({ name: `p${n}`, cpu: '3' }));
      return snapshot({ workers, pending: pods, cpu: ratio, memory: ratio });
    },
    decided: ({ kind }) => {
      if (kind !== 'hold') moves.push({ kind, atMs: docker.nowMs - startMs });
    },
  });
  const running = term.run();
  await time.pass(FIVE_MINUTES_MS);
  term.end();
  await time.until(running);
  const reversals = moves.filter(({ kind }, index) => index > 0 && moves[index - 1]?.kind !== kind);
  const made = docker.made.length;
  return { settings, moves, created: made, reversals: reversals.length };
}

/** High for a part of each period, low for the rest. */
const wave =
  (periodMs: number, highPart: number, high: Load, low: Load) =>
  (atMs: number): Load =>
    atMs % periodMs < periodMs * highPart ? high : low;

function assertBounded({ settings, moves, created, reversals }: Awaited<ReturnType<typeof play>>) {
  const bound = boundOf(settings, FIVE_MINUTES_MS);
  assert.ok(created <= bound.created, `${created} created, at most ${bound.created}`);
  assert.ok(reversals <= bound.reversals, `${reversals} turns, at most ${bound.reversals}`);
  for (const [index, { kind, atMs }] of moves.entries())
    for (const before of moves.slice(0, index)) {
      const sinceMs = atMs - before.atMs;
      if (kind === 'down') assert.ok(sinceMs >= settings.scaleDownCooldownMs, `down ${sinceMs} ms`);
      else if (before.kind === 'up')
        assert.ok(sinceMs >= settings.scaleUpCooldownMs, `up ${sinceMs} ms after up`);
    }
}

describe('autoscaler: a load that comes and goes for five minutes', () => {
  it('the bound by the defaults is six nodes and four turns', () => {
    const { created, reversals } = boundOf(parsed({}), FIVE_MINUTES_MS);
    assert.deepEqual([created, reversals], [6, 4]);
  });

  for (const seconds of [10, 30, 60, 120])
    it(`with a period of ${seconds} s it grows and shrinks, within the bound`, async () => {
      const high = { pending: 3, ratio: 0.9 };
      const played = await play(wave(seconds * SECOND_MS, 0.5, high, { pending: 0, ratio: 0.05 }));
      assertBounded(played);
      assert.ok(played.moves.some(({ kind }) => kind === 'down') && played.created >= 3);
    });

  it('whatever period, amplitude and cooldowns are, it stays within the bound', async () => {
    const load = fc.record({
      pending: fc.integer({ min: 0, max: 4 }),
      ratio: fc.constantFrom(0, 0.1, 0.29, 0.5, 0.8, 1),
    });
    const cooldown = fc.integer({ min: 10, max: 150 }).map((seconds) => `${seconds * SECOND_MS}`);
    const env = fc.record({
      ...{ SCALE_UP_COOLDOWN_MS: cooldown, SCALE_DOWN_COOLDOWN_MS: cooldown },
      MAX_SCALE_DOWN: fc.constantFrom('1', '2'),
    });
    const period = fc.integer({ min: 5, max: 200 }).map((seconds) => seconds * SECOND_MS);
    const part = fc.double({ min: 0.1, max: 0.9, noNaN: true });
    await fc.assert(
      fc.asyncProperty(period, part, load, load, env, async (periodMs, highPart, high, low, set) =>
        assertBounded(await play(wave(periodMs, highPart, high, low), set)),
      ),
      { numRuns: 20 },
    );
  });

  it('whatever the load does from second to second, it stays within the bound', async () => {
    const load = fc.record({
      pending: fc.integer({ min: 0, max: 4 }),
      ratio: fc.constantFrom(0, 0.1, 0.29, 0.5, 0.8, 1),
    });
    const loads = fc.array(load, { minLength: 60, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(loads, async (each) =>
        assertBounded(
          await play((atMs) => each[Math.floor(atMs / 5000) % 60] ?? { pending: 0, ratio: 0 }),
        ),
      ),
      { numRuns: 20 },
    );
  });
});
