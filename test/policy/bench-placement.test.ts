import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { peakOf, playNode, type CpuTrace, type TracedJob } from '../bench/placement/cpu-world';
import { planWithHindsight } from '../bench/placement/oracle';
import { inTurn, offHotNodes } from '../bench/placement/published';
import { playable, traceOf, type RecordedTrace } from '../bench/placement/recording';

const WINDOW_MS = 10_000;

const job = (name: string, more: Partial<TracedJob> = {}): TracedJob => ({
  ...{ name, arrivalMs: 0, processors: 1, workMs: 10_000 },
  ...more,
});
const traceWith = (jobs: readonly TracedJob[], background: CpuTrace['background']): CpuTrace => ({
  ...{ intervalMs: 1000, processorsPerNode: 2, background, jobs },
});

const jobs = fc
  .array(
    fc.record({
      arrivalMs: fc.integer({ min: 0, max: 20 }).map((seconds) => seconds * 1000),
      processors: fc.constantFrom(0.25, 0.5, 1, 1.5),
      workMs: fc.integer({ min: 500, max: 8000 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((all) => all.map((one, index) => ({ ...one, name: `job-${index}` })));
const background = fc.record({
  a: fc.array(fc.constantFrom(0, 0.5, 1.5, 2), { minLength: 1, maxLength: 5 }),
  b: fc.array(fc.constantFrom(0, 0.5, 1.5, 2), { minLength: 1, maxLength: 5 }),
});

describe('the CPU of a node on which a trace is played', () => {
  it('gives everyone all it wants while there is enough', () => {
    const one = job('one', { arrivalMs: 2000 });
    const { endMs, samples } = playNode(traceWith([one], { a: [0.5] }), 'a', [one]);
    assert.equal(endMs, 12_000);
    assert.deepEqual(
      [samples[0], samples[2], samples.length],
      [{ forMs: 1000, cpuRatio: 0.25 }, { forMs: 1000, cpuRatio: 0.75 }, 12],
    );
  });

  it('gives everyone the same part of it when there is not', () => {
    const two = [job('one'), job('two', { workMs: 20_000 })];
    // 4 processors are wanted of 2, until the first is done after 20 s; then 3 of 2.
    const { endMs, samples } = playNode(traceWith(two, { a: [2] }), 'a', two);
    assert.ok(Math.abs(endMs - 35_000) < 1, `${endMs}`);
    assert.ok(samples.every(({ cpuRatio }) => cpuRatio === 1));
  });

  it('has its peak in the mean over the window, and over all when there is less', () => {
    const use = [0, 1, 1, 0].map((cpuRatio) => ({ forMs: 1000, cpuRatio }));
    assert.equal(peakOf(use, 1000), 1);
    assert.ok(Math.abs(peakOf(use, 3000) - 2 / 3) < 1e-9);
    assert.equal(peakOf(use, 60_000), 0.5);
    assert.equal(peakOf([], 1000), 0);
  });
});

describe('the oracle', () => {
  it('keeps jobs away from where others will be busy only later', () => {
    const one = job('one');
    const late = [...Array.from({ length: 3 }, () => 0), ...Array.from({ length: 9 }, () => 2)];
    const plan = planWithHindsight(traceWith([one], { a: late, b: [0.5] }), WINDOW_MS);
    assert.equal(plan.nodeOf.get(one), 'b');
    assert.equal(plan.makespanMs, 10_000);
    assert.equal(plan.peakRatio, 0.75);
  });

  it('counts what others use on a node without jobs, as it is counted under every scheduler', () => {
    const one = job('one');
    const plan = planWithHindsight(traceWith([one], { a: [0], b: [1.5] }), WINDOW_MS);
    assert.equal(plan.nodeOf.get(one), 'a');
    assert.equal(plan.peakRatio, 0.75);
  });

  it('never has less than others use alone on the busiest node until the last job is done', () => {
    fc.assert(
      fc.property(jobs, background, (all, others) => {
        const trace = traceWith(all, others);
        const { peakRatio, makespanMs } = planWithHindsight(trace, WINDOW_MS);
        for (const node of Object.keys(others)) {
          const { samples } = playNode(trace, node, [], makespanMs);
          assert.ok(peakRatio >= peakOf(samples, WINDOW_MS) - 1e-9, node);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('places every job once, and nothing is done earlier by moving one', () => {
    fc.assert(
      fc.property(jobs, background, (all, others) => {
        const trace = traceWith(all, others);
        const nodes = Object.keys(others);
        const plan = planWithHindsight(trace, WINDOW_MS);
        assert.deepEqual(new Set(plan.nodeOf.keys()), new Set(all));
        const endOf = (nodeOf: ReadonlyMap<TracedJob, string>): number =>
          Math.max(
            ...nodes.map((node) => {
              const here = all.filter((one) => nodeOf.get(one) === node);
              return playNode(trace, node, here).endMs;
            }),
          );
        assert.equal(plan.makespanMs, endOf(plan.nodeOf));
        const seconds = (ms: number): number => Math.ceil(ms / 1000);
        for (const one of all)
          for (const node of nodes) {
            const moved = endOf(new Map([...plan.nodeOf, [one, node]]));
            assert.ok(seconds(moved) >= seconds(plan.makespanMs), `${one.name} to ${node}`);
          }
      }),
      { numRuns: 100 },
    );
  });
});

describe('the published algorithm', () => {
  const pod = (name: string, ageMs: number, node?: string) => ({ name, ageMs, node });
  const nodes = [
    { node: 'busy', cpuRatio: 0.9 },
    { node: 'b', cpuRatio: 0.5 },
    { node: 'a', cpuRatio: 0.1 },
  ];

  it('takes the nodes under 90 % in turn, the least busy first', () => {
    const waiting = ['1', '2', '3'].map((name) => pod(name, 0));
    const placed = inTurn([...waiting, pod('there', 0, 'a')], nodes);
    assert.deepEqual(
      placed.map(({ pod: { name }, node }) => [name, node]),
      [
        ['1', 'a'],
        ['2', 'b'],
        ['3', 'a'],
      ],
    );
    assert.deepEqual(inTurn(waiting, [{ node: 'busy', cpuRatio: 0.95 }]), []);
  });

  it('deletes the youngest pod of each node at 90 % or above', () => {
    const pods = [pod('old', 9000, 'busy'), pod('young', 10, 'busy'), pod('else', 1, 'a')];
    assert.deepEqual(
      offHotNodes(pods, nodes).map(({ name }) => name),
      ['young'],
    );
  });
});

describe('a recording of the programs of a machine', () => {
  it('tells programs that came and went from what goes on all the time', () => {
    const trace = traceOf(
      {
        ...{ intervalMs: 1000, looks: 11, processors: 2 },
        programs: [
          {
            firstLook: 0,
            cpuMs: [70_000, ...Array.from({ length: 10 }, (_, at) => 70_100 + at * 100)],
          },
          { firstLook: 2, cpuMs: [0, 1000, 2000, 3000] },
          { firstLook: 3, cpuMs: [0, 10, 20] },
        ],
      },
      5,
      'test',
    );
    assert.deepEqual(trace.jobs, [{ arrivalMs: 2000, processors: 1, workMs: 3000 }]);
    assert.deepEqual(trace.background, [0.082, 0.102]);
  });

  it('is played by as many machines as there are nodes, with the work of all', () => {
    const recorded: RecordedTrace = {
      ...{ recorded: 'test', processors: 2, intervalMs: 5000, background: [0, 0.5, 1, 1.5] },
      jobs: [{ arrivalMs: 6000, processors: 1, workMs: 3000 }],
    };
    const trace = playable(recorded, { nodes: 2 });
    assert.deepEqual(trace.background, { 'node-0': [0, 0.5, 1, 1.5], 'node-1': [1, 1.5, 0, 0.5] });
    assert.deepEqual(
      trace.jobs.map(({ arrivalMs }) => arrivalMs),
      [6000, 16_000],
    );
    assert.equal(playable(recorded, { nodes: 2, untilMs: 10_000 }).jobs.length, 1);
    assert.equal(playable(recorded, { nodes: 2, longestMs: 2000 }).jobs.length, 0);
  });
});
