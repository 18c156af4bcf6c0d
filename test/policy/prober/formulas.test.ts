import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cpuRatioBetween } from '../../../runtime/prober/policy/cpu-usage';
import { ewma } from '../../../runtime/prober/policy/ewma';
import { withFocus } from '../../../runtime/prober/policy/focus';
import { landmarksOf } from '../../../runtime/prober/policy/landmarks';
import { latencyRatio, median } from '../../../runtime/prober/policy/latency';
import {
  parseSimulatedLatencies,
  simulatedDelayMs,
} from '../../../runtime/prober/policy/simulation';

const RUNS = { seed: 42, numRuns: 200 };
const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
const names = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `node-${index}`);

describe('prober: smoothing', () => {
  it('starts with the first sample, and is half way after a half-life', () => {
    const first = ewma(undefined, 0.8, 1000, 10_000);
    assert.deepEqual(first, { value: 0.8, atMs: 1000, samples: 1 });
    const second = ewma(first, 0.2, 11_000, 10_000);
    assert.ok(Math.abs(second.value - 0.5) < 1e-12);
    assert.deepEqual([second.atMs, second.samples], [11_000, 2]);
  });

  it('does not depend on how often a constant value is sampled', () => {
    const start = ewma(undefined, 0, 0, 1000);
    let often = start;
    for (let atMs = 100; atMs <= 2000; atMs += 100) often = ewma(often, 1, atMs, 1000);
    assert.ok(Math.abs(often.value - ewma(start, 1, 2000, 1000).value) < 1e-12);
  });

  it('stays between what it was and the sample, and never goes back in time', () => {
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: -5000, max: 1e6 }), (before, sample, later) => {
        const average = ewma({ value: before, atMs: 0, samples: 1 }, sample, later, 5000);
        const slack = 1e-9 * Math.max(before, sample);
        assert.ok(average.value >= Math.min(before, sample) - slack);
        assert.ok(average.value <= Math.max(before, sample) + slack);
        assert.ok(average.atMs >= 0);
      }),
      RUNS,
    );
  });
});

describe('prober: ratios', () => {
  const sample = (busyMs: number, capacityMs: number) => ({ busyMs, capacityMs, cores: 2 });

  it('is the used share of the time between two samples', () => {
    assert.equal(cpuRatioBetween(sample(100, 1000), sample(600, 3000)), 0.25);
    assert.equal(cpuRatioBetween(sample(0, 0), sample(0, 10)), 0);
  });

  it('is never above 1, though a quota may be passed by a little', () => {
    assert.equal(cpuRatioBetween(sample(0, 0), sample(1100, 1000)), 1);
  });

  it('is unknown, not zero, when no time passed or a counter went back', () => {
    assert.equal(cpuRatioBetween(sample(5, 100), sample(5, 100)), undefined);
    assert.equal(cpuRatioBetween(sample(500, 100), sample(5, 200)), undefined);
    assert.equal(cpuRatioBetween(sample(5, 300), sample(6, 200)), undefined);
  });

  it('puts latency on a full scale', () => {
    assert.equal(latencyRatio(0, 100), 0);
    assert.equal(latencyRatio(50, 100), 0.5);
    assert.equal(latencyRatio(250, 100), 1);
    fc.assert(
      fc.property(
        amount,
        amount,
        fc.double({ min: 0.001, max: 1e5, noNaN: true }),
        (a, b, full) => {
          const [low, high] = [
            latencyRatio(Math.min(a, b), full),
            latencyRatio(Math.max(a, b), full),
          ];
          assert.ok(low >= 0 && low <= high && high <= 1);
        },
      ),
      RUNS,
    );
  });

  it('knows the middle, and that there is none of nothing', () => {
    assert.equal(median([]), undefined);
    assert.equal(median([3]), 3);
    assert.equal(median([9, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 9]), 3);
  });
});

describe('prober: landmarks', () => {
  it('are the same for the same node, peers and cycle, in whatever order the peers come', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(1e9),
        (peers, count, cycle) => {
          const chosen = landmarksOf('self', peers, count, cycle);
          assert.deepEqual(landmarksOf('self', [...peers].reverse(), count, cycle), chosen);
          const others = peers.filter((peer) => peer !== 'self');
          assert.equal(chosen.length, Math.min(count, others.length));
          assert.equal(new Set(chosen).size, chosen.length);
          assert.ok(chosen.every((peer) => others.includes(peer)));
        },
      ),
      RUNS,
    );
  });

  it('never hold the node itself', () => {
    assert.deepEqual(landmarksOf('a', ['a'], 3, 0), []);
    assert.deepEqual(landmarksOf('a', ['c', 'a', 'b'], 3, 7), ['b', 'c']);
  });

  it('come to every peer within n / count cycles', () => {
    const peers = names(50);
    const seen = new Set<string>();
    for (let cycle = 100; cycle < 107; cycle += 1)
      for (const peer of landmarksOf('node-0', peers, 8, cycle)) seen.add(peer);
    assert.equal(seen.size, 49);
  });

  it('ask each peer about equally often over all nodes', () => {
    const peers = names(200);
    const asked = new Map<string, number>();
    for (const self of peers)
      for (const peer of landmarksOf(self, peers, 8, 3))
        asked.set(peer, (asked.get(peer) ?? 0) + 1);
    const counts = peers.map((peer) => asked.get(peer) ?? 0);
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      200 * 8,
    );
    assert.ok(Math.max(...counts) <= 24, `one is asked ${Math.max(...counts)} times`);
  });
});

describe('prober: focus', () => {
  it('is kept until its time, prolonged when asked for again, and never of more than four', () => {
    let focuses = withFocus(new Map(), 'a', 0, 100);
    focuses = withFocus(focuses, 'b', 50, 150);
    focuses = withFocus(focuses, 'a', 60, 160);
    assert.deepEqual(
      new Map(focuses),
      new Map([
        ['a', 160],
        ['b', 150],
      ]),
    );
    assert.deepEqual([...withFocus(focuses, 'c', 155, 255).keys()].sort(), ['a', 'c']);
    for (const [index, name] of ['c', 'd', 'e'].entries())
      focuses = withFocus(focuses, name, 70 + index, 170 + index);
    assert.deepEqual([...focuses.keys()].sort(), ['a', 'c', 'd', 'e']);
  });
});

describe('prober: simulated latencies', () => {
  it('takes the pair before either node with any, and that before any with any', () => {
    const latencies = parseSimulatedLatencies('a/b=40, b/*=7,*/a=5,*/*=1');
    const delay = (one: string, other: string) => simulatedDelayMs(latencies, one, other);
    assert.deepEqual(
      [delay('a', 'b'), delay('b', 'a'), delay('a', 'c'), delay('b', 'c'), delay('c', 'd')],
      [40, 40, 5, 7, 1],
    );
  });

  it('adds nothing where nothing is set', () => {
    assert.equal(simulatedDelayMs(parseSimulatedLatencies(''), 'a', 'b'), 0);
  });

  for (const bad of ['a=3', 'a/b=', 'a/b=-1', 'a/b=99999', 'a/b/c=1', 'a/b=1;c/d=2'])
    it(`refuses ${bad}`, () => {
      assert.throws(() => parseSimulatedLatencies(bad), /is not NODE\/NODE=MILLISECONDS/);
    });
});
