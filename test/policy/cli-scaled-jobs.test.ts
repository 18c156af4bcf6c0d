import assert from 'node:assert/strict';
import { readQueue } from '../../runtime/cli/queue-report';
import { jobRows } from '../../runtime/cli/job-rows';
import { UnreachableError, type Kube } from '../../runtime/cli/kube';
import { plainProgress } from '../../runtime/cli/progress-plain';
import { scaledJobRows, type QueueReport, type ScaledJob } from '../../runtime/cli/scaled-job-rows';
import { statusTables } from '../../runtime/cli/tables';
import { watchScaledJobs } from '../../runtime/cli/watch-jobs';

const GENERATION = 4;

const scaledJob = (index: number, mode = 'once', broken?: string): ScaledJob => ({
  metadata: {
    name: `posture-analyzer-job-${index}`,
    namespace: 'posture',
    generation: GENERATION,
  },
  spec: { triggers: [{ metadata: { mode } }] },
  status: {
    conditions: broken ? [{ type: 'Ready', status: 'False', message: broken }] : [],
  },
});

/** A Job as KEDA makes it. */
const job = (
  index: number,
  { generation = GENERATION, condition = '', at = '2026-01-01T00:00:00Z' } = {},
) => ({
  metadata: {
    name: `posture-analyzer-job-${index}-${at}`,
    namespace: 'posture',
    uid: `${index}-${at}`,
    creationTimestamp: at,
    labels: { 'scaledjob.keda.sh/name': `posture-analyzer-job-${index}`, app: 'posture' },
    annotations: { 'scaledjob.keda.sh/generation': String(generation) },
  },
  status: { conditions: condition === '' ? [] : [{ type: condition, status: 'True' }] },
});

const pod = (of: ReturnType<typeof job>, phase: string, more: object = {}) => ({
  metadata: { name: 'p', ownerReferences: [{ uid: of.metadata.uid }] },
  spec: phase === 'Pending' ? {} : { nodeName: 'node-2' },
  status: {
    phase,
    containerStatuses: [
      {
        name: 'analyzer',
        state: { terminated: { message: '{"images":12,"good":5,"bad":4,"noPose":3,"seconds":7}' } },
      },
    ],
    ...more,
  },
});

const nodes = [{ metadata: { name: 'node-2', labels: { 'posture/slot': 'slot-2' } } }];

const rowsOf = (
  scaledJobs: ScaledJob[],
  jobs: object[] = [],
  pods: object[] = [],
  report: QueueReport = { queue: [] },
) => scaledJobRows(scaledJobs, { nodes, jobs, pods } as never, report);

const said = (index: number, state: string, why: string) =>
  ({ scaledJob: `posture/posture-analyzer-job-${index}`, state, why }) as never;

describe('ScaledJobs in status', () => {
  it('are queued for the reason that the scaler gives, or because it does not answer', () => {
    const report = { queue: [said(0, 'queued', 'no berth is free'), said(1, 'granted', 'kept')] };
    const [waiting, granted, unseen] = rowsOf(
      [0, 1, 2].map((i) => scaledJob(i)),
      [],
      [],
      report,
    );
    assert.deepEqual([waiting?.phase, waiting?.why], ['Queued', 'no berth is free']);
    assert.deepEqual([granted?.phase, granted?.why], ['Released', 'kept']);
    assert.deepEqual([unseen?.phase, unseen?.why], ['Queued', 'the scaler has not seen it yet']);
    const [alone] = rowsOf([scaledJob(0)], [], [], { unanswered: 'scaler is away' });
    assert.deepEqual([alone?.phase, alone?.why, alone?.images], ['Queued', 'scaler is away', null]);
    const [broken] = rowsOf([scaledJob(0, 'once', 'triggers do not work')], [], [], report);
    assert.match(broken?.why ?? '', /no berth is free; KEDA: triggers do not work/);
  });

  it('are released with a Job, running with its pod, and then show node, slot and results', () => {
    const active = job(0);
    const unscheduled = {
      conditions: [{ type: 'PodScheduled', status: 'False', message: '0/4 nodes are available' }],
    };
    const [released] = rowsOf([scaledJob(0)], [active], [pod(active, 'Pending', unscheduled)]);
    assert.deepEqual([released?.phase, released?.why], ['Released', '0/4 nodes are available']);
    const [running] = rowsOf([scaledJob(0)], [active], [pod(active, 'Running')]);
    assert.deepEqual(
      [running?.phase, running?.node, running?.slot, running?.why],
      ['Running', 'node-2', 2, null],
    );
    const done = job(0, { condition: 'Complete' });
    const [complete] = rowsOf([scaledJob(0)], [done], [pod(done, 'Succeeded')]);
    assert.deepEqual(complete, {
      name: 'posture-analyzer-job-0',
      mode: 'once',
      phase: 'Complete',
      node: 'node-2',
      slot: 2,
      completed: 1,
      images: 12,
      good: 5,
      bad: 4,
      noPose: 3,
      seconds: 7,
      why: null,
    });
  });

  it('wait again when they have changed, or run continuously, and keep their last results', () => {
    const before = job(0, { generation: GENERATION - 1, condition: 'Complete' });
    const [changed] = rowsOf([scaledJob(0)], [before], [pod(before, 'Succeeded')]);
    assert.deepEqual([changed?.phase, changed?.completed, changed?.images], ['Queued', 0, 12]);
    const done = job(0, { condition: 'Complete' });
    const [again] = rowsOf([scaledJob(0, 'continuous')], [done], [pod(done, 'Succeeded')]);
    assert.deepEqual([again?.phase, again?.completed], ['Queued', 1]);
  });

  it('have failed when the scaler gives them no more, and not by one failed Job', () => {
    const failed = job(0, { condition: 'Failed' });
    assert.equal(rowsOf([scaledJob(0)], [failed])[0]?.phase, 'Queued');
    const report = { queue: [said(0, 'failed', 'too many Jobs have failed')] };
    const [row] = rowsOf([scaledJob(0)], [failed], [], report);
    assert.deepEqual([row?.phase, row?.why], ['Failed', 'too many Jobs have failed']);
  });

  it('come in the order of their numbers, and their Jobs are not among the posture jobs', () => {
    const rows = rowsOf([10, 2, 0].map((index) => scaledJob(index)));
    assert.deepEqual(
      rows.map(({ name }) => name.split('-').at(-1)),
      ['0', '2', '10'],
    );
    const queued = { metadata: { name: 'posture-analyzer-job-1' }, spec: { suspend: true } };
    assert.deepEqual(
      jobRows([job(0), queued] as never, []).map(({ name, phase }) => [name, phase]),
      [['posture-analyzer-job-1', 'Queued']],
    );
    const text = statusTables({
      nodes: [],
      jobs: [],
      scaledJobs: rows,
      latency: null,
      autoscaling: null,
      services: [],
    });
    for (const part of ['why not yet', 'the scaler has not seen it yet'])
      assert.ok(text.includes(part), text);
  });
});

describe('the queue as the external scaler tells it', () => {
  const kube = (answer: () => Promise<unknown>): { kube: Kube; asked: string[] } => {
    const asked: string[] = [];
    const json = <T>(path: string) => {
      asked.push(path);
      return answer() as Promise<T>;
    };
    return { asked, kube: { server: 'https://test', json, text: () => assert.fail() } };
  };
  const urls = { 'posture-external-scaler': 'http://posture-external-scaler.posture.svc:8088' };

  it('is read through the API server', async () => {
    const { kube: server, asked } = kube(() => Promise.resolve({ freeBerths: 0, queue: [] }));
    assert.deepEqual(await readQueue(server, { urls }), { queue: [] });
    assert.deepEqual(asked, [
      '/api/v1/namespaces/posture/services/http:posture-external-scaler:8088/proxy/allowed',
    ]);
  });

  it('says so where there is no scaler, or where it does not answer', async () => {
    const { kube: server } = kube(() => Promise.reject(new Error('503 no endpoints')));
    assert.match(JSON.stringify(await readQueue(server, { urls })), /does not answer: 503/);
    assert.match(JSON.stringify(await readQueue(server, {})), /has no posture-external-scaler/);
  });
});

describe('waiting for ScaledJobs', () => {
  it('shows why each waits, bears with an API server that is away, and ends when all have run', async () => {
    const done = job(0, { condition: 'Complete' });
    const states: (object[] | Error)[] = [
      [],
      new UnreachableError('https://test', new Error('refused')),
      [job(0)],
      [done],
    ];
    let look = 0;
    const kube: Kube = {
      server: 'https://test',
      text: () => assert.fail(),
      json: <T>(path: string) => {
        const state = states[Math.min(look, states.length - 1)] ?? [];
        if (path.includes('/scaledjobs')) return Promise.resolve({ items: [scaledJob(0)] } as T);
        if (path.includes('/nodes')) return Promise.resolve({ items: nodes } as T);
        if (path.includes('/pods')) {
          look += 1;
          const pods = look > states.length ? [pod(done, 'Succeeded')] : [];
          return Promise.resolve({ items: pods } as T);
        }
        return state instanceof Error
          ? Promise.reject(state)
          : Promise.resolve({ items: state } as T);
      },
    };
    const lines: string[] = [];
    const ask = () => Promise.resolve({ queue: [said(0, 'queued', 'no berth is free')] });
    const seen = await plainProgress((line) => lines.push(line)).phase('ScaledJobs', (phase) =>
      watchScaledJobs(kube, ['posture-analyzer-job-0'], ask, {
        phase,
        signal: new AbortController().signal,
        limitMs: 120_000,
        pollMs: 1,
      }),
    );
    assert.equal(seen.jobs.length, 1);
    assert.match(lines.join('\n'), /✔ posture-analyzer-job-0/);
    assert.match(lines.join('\n'), /1 of 1 ended/);
  });
});
