import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { Bench, key } from './support';

/** What may happen next. Numbers choose among what there is. */
type Event =
  | { readonly kind: 'ask'; readonly who: number; readonly how: number }
  | { readonly kind: 'job appears'; readonly who: number }
  | { readonly kind: 'pod appears'; readonly who: number }
  | { readonly kind: 'pod binds'; readonly who: number; readonly node: number }
  | { readonly kind: 'ends'; readonly who: number }
  | { readonly kind: 'node heats'; readonly node: number }
  | { readonly kind: 'node cools'; readonly node: number }
  | { readonly kind: 'node goes'; readonly node: number }
  | { readonly kind: 'time passes'; readonly ms: number };

const JOBS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const NODES = ['n1', 'n2', 'n3'] as const;
const who = fc.nat({ max: JOBS.length - 1 });
const node = fc.nat({ max: NODES.length - 1 });

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('ask' as const), who, how: fc.nat({ max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('job appears' as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pod appears' as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pod binds' as const), who, node }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ends' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('node heats' as const), node }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('node cools' as const), node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('node goes' as const), node }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('time passes' as const),
      ms: fc.integer({ min: 1, max: 20_000 }),
    }),
  },
);

/** Plays KEDA, the Job controller and the scheduler on a cluster, as late and in as odd an order as they may be. */
class Play {
  readonly bench = new Bench();
  /** Those told 1 whose Job is not made, as KEDA keeps them in its head. */
  readonly told = new Set<string>();
  readonly stage = new Map<string, 'job' | 'pod' | 'bound'>();
  readonly waiting: string[] = [];
  #serial = 0;
  readonly #jobNames = new Map<string, string>();

  constructor() {
    this.bench.nodes(...NODES);
    this.bench.scaledJobs(...JOBS);
  }

  play(next: Event): void {
    const { bench } = this;
    if ('node' in next && next.kind !== 'pod binds') return this.#nodeEvent(next.kind, next.node);
    if (next.kind === 'time passes') {
      bench.clock.atMs += next.ms;
      for (const name of NODES) if (bench.cpu.has(name)) this.#reheat(name);
      bench.scaler.tick();
      return;
    }
    if (!('who' in next)) return;
    const name = JOBS[next.who] ?? 'a';
    const stage = this.stage.get(name);
    const jobName = this.#jobNames.get(name) ?? '';
    if (next.kind === 'ask') this.#ask(name, next.how);
    else if (next.kind === 'job appears' && this.told.has(name)) {
      this.told.delete(name);
      this.#jobNames.set(name, `${name}-${(this.#serial += 1)}`);
      bench.job(name, 'active', this.#jobNames.get(name));
      this.stage.set(name, 'job');
    } else if (next.kind === 'pod appears' && stage === 'job') {
      bench.pod(jobName, null, name);
      this.stage.set(name, 'pod');
    } else if (next.kind === 'pod binds' && stage === 'pod') {
      bench.pod(jobName, NODES[next.node] ?? 'n1', name);
      this.stage.set(name, 'bound');
    } else if (next.kind === 'ends' && stage === 'bound') {
      bench.endPod(jobName);
      bench.job(name, 'complete', jobName);
      this.stage.delete(name);
    }
  }

  /** Asks, and checks what must hold whenever a berth is promised. */
  #ask(name: string, how: number): void {
    const { bench } = this;
    const { ledger } = bench.scaler;
    const demand = how === 1 ? { slot: 1 } : how === 2 ? { thresholdRatio: 0.3 } : {};
    const before = [...ledger.queue.keys()];
    const hadGrant = ledger.grants.has(key(name));
    const { value } = bench.ask(name, demand);
    const isNew = !hadGrant && ledger.grants.has(key(name));
    if (value === 1) {
      assert.ok(!this.stage.has(name), `${name} has a Job already`);
      this.told.add(name);
    }
    if (!isNew) return;
    const world = bench.scaler.world();
    const nodes = bench.scaler.berthNodes();
    const verdicts = bench.scaler.world().berths.free(demand.thresholdRatio ?? 0.7).count;
    const claims = [...world.claims.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(
      ledger.grants.size + claims <= verdicts,
      `${ledger.grants.size} grants and ${claims} claims on ${verdicts} free berths`,
    );
    assert.ok(ledger.grants.size + claims <= nodes.filter((n) => n.runningJobs === 0).length);
    // Nobody who has waited longer, and would take any node, is passed over.
    for (const earlier of before.slice(0, Math.max(0, before.indexOf(key(name))))) {
      const identity = ledger.identities.get(earlier);
      if (identity === undefined || !ledger.queue.has(earlier)) continue;
      const any = identity.demand.slot === null && identity.demand.thresholdRatio === 0.7;
      if (any)
        assert.ok(ledger.remaining(0.7, bench.clock.atMs, world) > 0, `${earlier} was first`);
    }
  }

  #nodeEvent(kind: Event['kind'], index: number): void {
    const { bench } = this;
    const name = NODES[index] ?? 'n1';
    if (kind === 'node goes') bench.cluster.removeNode(name);
    else if (kind === 'node heats') bench.heat(name, 0.9);
    else bench.nodes(...NODES.slice(index, index + 1));
  }

  #reheat(name: string): void {
    const reading = this.bench.cpu.get(name);
    if (reading?.state === 'known') this.bench.heat(name, reading.value);
  }
}

describe('whatever happens, and in whatever order', () => {
  it('promised and taken berths never exceed the free ones when one is promised, one for each, in order', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 20, maxLength: 120 }), (events) => {
        const play = new Play();
        for (const next of events) play.play(next);
      }),
      { seed: 42, numRuns: 400 },
    );
  });

  it('nobody starves: all run when all go on asking and every Job ends some time', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 60 }),
        fc.array(who, { minLength: 6, maxLength: 12 }),
        (events, order) => {
          const play = new Play();
          for (const next of events) play.play(next);
          const { bench } = play;
          bench.nodes(...NODES);
          const asking = [...new Set([...order, ...JOBS.keys()])];
          const ran = new Set<number>();
          // Each round all ask in the same unfair order; whoever has a Job goes on by one stage.
          for (let round = 0; round < 60 && ran.size < JOBS.length; round += 1) {
            for (const index of asking) {
              play.play({ kind: 'ask', who: index, how: index === 5 ? 1 : index === 4 ? 2 : 0 });
            }
            for (const index of asking) {
              const name = JOBS[index] ?? 'a';
              if (play.stage.has(name)) ran.add(index);
              const free = bench.scaler.berthNodes().findIndex((one) => one.runningJobs === 0);
              const stage = play.stage.get(name);
              if (stage === undefined) play.play({ kind: 'job appears', who: index });
              else if (stage === 'job') play.play({ kind: 'pod appears', who: index });
              else if (stage === 'pod' && free >= 0)
                play.play({ kind: 'pod binds', who: index, node: free });
              else if (stage === 'bound') play.play({ kind: 'ends', who: index });
            }
            play.play({ kind: 'time passes', ms: 10_000 });
          }
          assert.equal(ran.size, JOBS.length, `only ${[...ran].join()} ran`);
        },
      ),
      { seed: 42, numRuns: 100 },
    );
  });
});
