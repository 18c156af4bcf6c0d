import assert from 'node:assert/strict';
import fc from 'fast-check';
import { freeBerths, releaseDecision } from '../../../runtime/node-controller/policy/release';
import type { ObservedJob, ObservedPod, Work } from '../../../runtime/node-controller/types';
import { job, pod, verdict } from './support';

const NODES = [verdict('n1'), verdict('n2'), verdict('n3')];
const running = { suspended: false };

describe('node controller: free berths', () => {
  const other = pod('p', { posture: false, nodeName: 'n1' });
  const rows: readonly [string, Partial<Work>, number][] = [
    ['nothing runs', {}, 3],
    ['a pod holds its node', { pods: [pod('p', { nodeName: 'n1' })] }, 2],
    ['two pods hold one node', { pods: ['p', 'q'].map((p) => pod(p, { nodeName: 'n1' })) }, 2],
    [
      'a pod on a node that is not available holds none',
      { pods: [pod('p', { nodeName: 'x' })] },
      3,
    ],
    ['a pod that ended holds none', { pods: [pod('p', { nodeName: 'n1', ended: true })] }, 3],
    ['a pod of something else holds none', { pods: [other] }, 3],
    [
      'a pod of a queue Job holds its node, whatever its labels',
      { jobs: [job('a', running)], pods: [{ ...other, jobUid: 'uid-a' }] },
      2,
    ],
    ['a pod that is not bound will take one', { pods: [pod('p')] }, 2],
    ['a Job without a pod will take one', { jobs: [job('a', running)] }, 2],
    [
      'so will one that is not of the queue',
      { jobs: [job('a', { ...running, queued: false })] },
      2,
    ],
    [
      'a Job of something else will not',
      { jobs: [job('a', { ...running, queued: false, posture: false })] },
      3,
    ],
    [
      'a Job and its pod are one',
      { jobs: [job('a', running)], pods: [pod('p', { jobUid: 'uid-a' })] },
      2,
    ],
    [
      'a Job whose pod failed will make another',
      { jobs: [job('a', running)], pods: [pod('p', { jobUid: 'uid-a', ended: true })] },
      2,
    ],
    ['a Job that ended will not', { jobs: [job('a', { ...running, ended: true })] }, 3],
    [
      'a Job of two pods will take two',
      { jobs: [job('a', { ...running, parallelism: 2, remaining: 5 })] },
      1,
    ],
    [
      'a Job of two pods with one to go will take one',
      { jobs: [job('a', { ...running, parallelism: 2 })] },
      2,
    ],
    ['never below none', { pods: ['p', 'q', 'r', 's'].map((p) => pod(p)) }, 0],
  ];
  for (const [what, work, free] of rows)
    it(`${what}: ${free}`, () =>
      assert.equal(freeBerths(NODES, { jobs: [], pods: [], ...work }), free));
});

describe('node controller: releases', () => {
  const names = (jobs: readonly { name: string }[]) => jobs.map(({ name }) => name);

  it('are the oldest, one for each free berth; the others wait and say why', () => {
    const jobs = [
      job('young', { createdAtMs: 3 }),
      job('old', { createdAtMs: 1 }),
      job('b', { createdAtMs: 2 }),
      job('a', { createdAtMs: 2 }),
    ];
    const { release, waiting, freeBerths: free } = releaseDecision(NODES, { jobs, pods: [] });
    assert.deepEqual([names(release), free], [['old', 'a', 'b'], 3]);
    assert.deepEqual(waiting, [{ job: 'young', why: 'no free berth for it (3 free)' }]);
  });

  it('leave what is not a suspended Job of the queue', () => {
    const jobs = [
      job('running', running),
      job('ended', { ended: true }),
      job('deleting', { deleting: true }),
      job('elsewhere', { queued: false }),
    ];
    const nodes = [...NODES, verdict('n4'), verdict('n5')];
    assert.deepEqual(releaseDecision(nodes, { jobs, pods: [] }).release, []);
    assert.deepEqual(releaseDecision(nodes, { jobs, pods: [] }).waiting, []);
  });

  it('pass over a Job that takes more than one berth, and one whose last pod still runs', () => {
    const jobs = [job('wide', { parallelism: 2 }), job('leaving'), job('next', { createdAtMs: 1 })];
    const pods = [pod('p', { jobUid: 'uid-leaving', nodeName: 'n1' })];
    const { release, waiting } = releaseDecision(NODES, { jobs, pods });
    assert.deepEqual(names(release), ['next']);
    assert.match(waiting.find(({ job: name }) => name === 'wide')?.why ?? '', /must be 1/);
    assert.match(waiting.find(({ job: name }) => name === 'leaving')?.why ?? '', /has not ended/);
  });

  /**
   * A cluster in which everything happens in any order: nodes come and go, Jobs are queued, their pods are made, bound
   * to a node without a pod, and end, and the controller looks and releases.
   */
  type Step = {
    readonly what: 'queue' | 'make' | 'bind' | 'end' | 'node' | 'release';
    readonly n: number;
  };
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.record({
      what: fc.constantFrom('queue', 'make', 'bind', 'end', 'node', 'release', 'release'),
      n: fc.nat(9),
    }),
    { maxLength: 60 },
  );

  it('never make more than the free berths, whatever happens in whatever order; the oldest go first', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const available = new Set(['0', '1', '2']);
        let jobs: ObservedJob[] = [];
        let pods: ObservedPod[] = [];
        const at = <T>(list: readonly T[], n: number): T | undefined =>
          list[n % (list.length || 1)];
        const on = (name: string) => pods.some((one) => !one.ended && one.nodeName === name);
        all.forEach(({ what, n }, timeMs) => {
          if (what === 'queue') jobs.push(job(`j${timeMs}`, { createdAtMs: timeMs }));
          if (what === 'node') if (!available.delete(String(n % 5))) available.add(String(n % 5));
          if (what === 'make') {
            const bare = jobs.filter(
              (one) =>
                !one.suspended && !one.ended && !pods.some(({ jobUid }) => jobUid === one.uid),
            );
            const owner = at(bare, n);
            if (owner) pods.push(pod(`p${timeMs}`, { jobUid: owner.uid }));
          }
          if (what === 'bind') {
            const [free] = [...available].filter((name) => !on(name));
            const one = at(
              pods.filter(({ nodeName }) => nodeName === undefined),
              n,
            );
            if (free !== undefined && one)
              pods = pods.map((two) => (two === one ? { ...one, nodeName: free } : two));
          }
          if (what === 'end') {
            const one = at(
              pods.filter(({ ended, nodeName }) => !ended && nodeName),
              n,
            );
            pods = pods.map((two) => (two === one ? { ...two, ended: true } : two));
            jobs = jobs.map((two) => (two.uid === one?.jobUid ? { ...two, ended: true } : two));
          }
          if (what === 'release') {
            const verdicts = ['0', '1', '2', '3', '4'].map((name) =>
              verdict(name, { available: available.has(name) }),
            );
            // Counted here from the other side: what was let go and has not found a node yet needs a free one.
            const free = [...available].filter((name) => !on(name)).length;
            const seeking = (): number =>
              jobs.filter(
                (one) =>
                  !one.suspended &&
                  !one.ended &&
                  !pods.some(({ jobUid, nodeName }) => jobUid === one.uid && nodeName),
              ).length;
            const before = seeking();
            const { release, waiting } = releaseDecision(verdicts, { jobs, pods });
            const gone = new Set(names(release));
            jobs = jobs.map((one) => (gone.has(one.name) ? { ...one, suspended: false } : one));
            assert.equal(seeking(), Math.max(before, Math.min(free, before + release.length)));
            // None is held back while there is a berth for it.
            if (waiting.length > 0) assert.ok(seeking() >= free);
            const oldestWaiting = jobs.find(({ name }) => name === waiting[0]?.job);
            for (const one of release)
              assert.ok(!oldestWaiting || one.createdAtMs < oldestWaiting.createdAtMs);
          }
        });
      }),
      { seed: 42, numRuns: 300 },
    );
  });
});
