import assert from 'node:assert/strict';
import { AutoscalerStores } from './support/autoscaler-stores';
import { AutoscalerSystem } from './support/autoscaler-system';
import { eventually } from './support/kube';
import type { RunningService } from './support/running-service';

/** All times but Prometheus' are a tenth of the defaults, and so is the run: half a minute for five minutes. */
const SHORTER = 10;
const RUN_MS = 300_000 / SHORTER;
const UP_COOLDOWN_MS = 60_000 / SHORTER;
const DOWN_COOLDOWN_MS = 120_000 / SHORTER;
const CHECK_INTERVAL_MS = 5000 / SHORTER;
/** So long it is busy, and so long idle: five seconds of either stand for fifty. */
const HALF_PERIOD_MS = 50_000 / SHORTER;
const MIN_NODES = 2;
/** Fewer than the default of 6, so that it comes to its limit and has to turn round within the run. */
const MAX_NODES = 4;

describe('autoscaler as a process: a load that comes and goes', function () {
  this.timeout(1_800_000);
  let system: AutoscalerSystem;
  let stores: AutoscalerStores;
  let leader: RunningService;

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    system = await AutoscalerSystem.start();
    stores = new AutoscalerStores(system);
  });
  after(async () => {
    await stores?.close();
    await system?.stop();
  });

  const loadAt = (atMs: number): void => {
    const isBusy = Math.floor(atMs / HALF_PERIOD_MS) % 2 === 0;
    for (const name of system.docker.names)
      system.prometheus.ratios.set(name, isBusy ? 0.95 : 0.05);
  };

  /**
   * The bound is that of the policy's test (a removal for each SCALE_DOWN_COOLDOWN, growth into the room and after
   * removals, two turns for each removal), of the time that the run has really taken on this machine.
   */
  it('makes it create so many nodes and turn round so often at most', async () => {
    const startMs = Date.now();
    loadAt(0);
    leader = await system.startReplica({
      MIN_NODES: String(MIN_NODES),
      MAX_NODES: String(MAX_NODES),
      SCALE_UP_COOLDOWN_MS: String(UP_COOLDOWN_MS),
      SCALE_DOWN_COOLDOWN_MS: String(DOWN_COOLDOWN_MS),
      CHECK_INTERVAL_MS: String(CHECK_INTERVAL_MS),
    });
    await leader.leads();
    await eventually('it has grown and shrunk, and the time is over', async () => {
      const passedMs = Date.now() - startMs;
      loadAt(passedMs);
      return passedMs >= RUN_MS && system.docker.removed.length > 0;
    });
    assert.equal(await leader.stop(), 0);
    const removals = Math.floor((Date.now() - startMs) / DOWN_COOLDOWN_MS);
    const created = system.docker.made.length;
    assert.ok(created >= 1 && created <= MAX_NODES - MIN_NODES + removals, `${created} created`);
    const events = [...(await stores.live.recentEvents(1000))].reverse();
    const turns = events.filter(({ kind }, at) => at > 0 && events[at - 1]?.kind !== kind);
    assert.ok(
      turns.length >= 1 && turns.length <= 2 * removals,
      events.map(({ kind }) => kind).join(),
    );
    for (const [at, { kind, atMs }] of events.entries())
      for (const before of events.slice(0, at)) {
        const cooldownMs = kind === 'scale_up' ? UP_COOLDOWN_MS : DOWN_COOLDOWN_MS;
        if (kind === 'scale_up' && before.kind !== 'scale_up') continue;
        assert.ok(atMs - before.atMs >= cooldownMs, `${kind} ${atMs - before.atMs} ms after`);
      }
  });
});
