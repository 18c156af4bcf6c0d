import assert from 'node:assert/strict';
import { latencyReport } from '../../runtime/cli/latency-report';
import { cpuByNode } from '../../runtime/cli/node-cpu';
import { chosenCpuRatio, jobRows, podOfJob } from '../../runtime/cli/job-rows';
import { proxiedService } from '../../runtime/cli/service-proxy';
import { statusOf } from '../../runtime/cli/status-shape';
import { latencyTable, resultTable, statusTables } from '../../runtime/cli/tables';

const node = (name: string, labels: Record<string, string>, ready: boolean) => ({
  metadata: { name, labels },
  status: {
    addresses: [{ type: 'InternalIP', address: `10.0.0.${name.at(-1)}` }],
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }],
  },
});

const job = (name: string, condition?: string) => ({
  metadata: { name, uid: `uid-${name}` },
  status: { conditions: condition ? [{ type: condition, status: 'True' }] : [] },
});

const pod = (of: string, phase: string, createdAt: string, message?: string) => ({
  metadata: {
    name: `${of}-${createdAt}`,
    creationTimestamp: new Date(createdAt),
    annotations: { 'cpu-scheduler.berth.dev/node-cpu-ratio': '0.125' },
    ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: of, uid: `uid-${of}` }],
  },
  spec: { nodeName: 'node-1', containers: [] },
  status: {
    phase,
    containerStatuses: message
      ? [{ name: 'analyzer', state: { terminated: { exitCode: 0, message } } }]
      : [],
  },
});

const summary = '{"images":12,"good":5,"bad":4,"noPose":3,"errors":0,"seconds":7.25}';

/** Objects as the API server's JSON has them; the client's types ask for more than is read here. */
const cluster = {
  nodes: [
    node('node-2', { 'posture/eligible': 'true', 'posture/slot': 'slot-2' }, true),
    node('node-1', { 'posture/slot': 'slot-10' }, false),
    node('server', {}, true),
  ],
  jobs: [job('posture-pi1-9'), job('posture-pi1', 'Complete'), job('posture-pi1-2', 'Failed')],
  pods: [
    pod('posture-pi1', 'Succeeded', '2026-01-01T00:00:00Z', summary),
    pod('posture-pi1', 'Failed', '2026-01-02T00:00:00Z', 'no JSON'),
    pod('posture-pi1-9', 'Running', '2026-01-01T00:00:00Z'),
  ],
  scaledJobs: [],
  services: [
    {
      metadata: { name: 'cpu-scheduler' },
      spec: {
        replicas: 2,
        template: { spec: { containers: [{ name: 'c', image: 'r/cpu@sha256:0123456789abcdef' }] } },
      },
      status: { readyReplicas: 1 },
    },
    {
      metadata: { name: 'node-exporter' },
      spec: { template: { spec: { containers: [{ name: 'c', image: 'node-exporter:1' }] } } },
      status: { desiredNumberScheduled: 4, numberReady: 4 },
    },
  ],
} as never;

const NO_QUEUE = { queue: [] };
const NO_SYSTEMS = { latency: null, autoscaling: null };
const done = { images: 12, good: 5, bad: 4, noPose: 3, seconds: 7.25 };
const notDone = { images: null, good: null, bad: null, noPose: null, seconds: null };

describe('status', () => {
  it('has exactly the documented shape, and null for what is not known', () => {
    assert.deepEqual(statusOf(cluster, new Map([['node-2', 0.5]]), NO_QUEUE, NO_SYSTEMS), {
      nodes: [
        { name: 'node-1', ready: false, eligible: false, slot: 10, cpuRatio: null },
        { name: 'node-2', ready: true, eligible: true, slot: 2, cpuRatio: 0.5 },
        { name: 'server', ready: true, eligible: false, slot: null, cpuRatio: null },
      ],
      jobs: [
        { name: 'posture-pi1', phase: 'Complete', node: 'node-1', ...done },
        { name: 'posture-pi1-2', phase: 'Failed', node: null, ...notDone },
        { name: 'posture-pi1-9', phase: 'Running', node: 'node-1', ...notDone },
      ],
      scaledJobs: [],
      latency: null,
      autoscaling: null,
      services: [
        { name: 'cpu-scheduler', ready: false, image: 'r/cpu@sha256:0123456789abcdef' },
        { name: 'node-exporter', ready: true, image: 'node-exporter:1' },
      ],
    });
  });

  it('takes the pod that succeeded for the job, even where a newer one failed', () => {
    const { jobs, pods } = cluster as { jobs: never[]; pods: never[] };
    const [row] = jobRows([jobs[1]!], pods);
    assert.equal(row?.images, 12);
    assert.equal(podOfJob(jobs[2]!, pods), undefined);
  });

  it('reads the CPU of the node when it was chosen, and knows unknown from zero', () => {
    const annotated = (text?: string) =>
      chosenCpuRatio({
        metadata: { annotations: { 'cpu-scheduler.berth.dev/node-cpu-ratio': text } },
      } as never);
    assert.deepEqual(['0', '0.42', 'unknown', '', undefined].map(annotated), [
      0,
      0.42,
      null,
      null,
      null,
    ]);
  });

  it('shows tables with a dash for what is not known', () => {
    const text = statusTables(statusOf(cluster, new Map([['node-2', 0.5]]), NO_QUEUE, NO_SYSTEMS));
    for (const part of ['50.0 %', '5 / 4 / 3', '7.3 s', '–', 'r/cpu@0123456789ab'])
      assert.ok(text.includes(part), `${part} is in\n${text}`);
    const [row] = statusOf(cluster, new Map(), NO_QUEUE, NO_SYSTEMS).jobs;
    const table = resultTable([{ ...row!, slot: 10, chosenCpuRatio: 0.125 }]);
    for (const part of ['12.5 %', ' 10 ', '5 / 4 / 3']) assert.ok(table.includes(part), table);
  });
});

describe('latency-aware scheduling in status', () => {
  const pod = (name: string, nodeName?: string, phase = 'Running') =>
    ({ metadata: { name, namespace: 'hello' }, spec: { nodeName }, status: { phase } }) as never;
  const pods = [pod('b', 'node-2'), pod('a', 'node-1'), pod('c'), pod('d', 'node-1', 'Failed')];
  const state = {
    target: { node: 'node-1', why: 'it is the busiest node' },
    nodes: [
      { node: 'node-2', effectiveCpuRatio: 0.1, latencyMs: 60, score: null, why: 'too far' },
      { node: 'node-1', effectiveCpuRatio: 0.5, latencyMs: 0, score: 0.85 },
    ],
  };

  it('has pods that are, by name, and nodes with why one is out', () => {
    assert.deepEqual(latencyReport(pods, state), {
      unanswered: null,
      target: 'node-1',
      why: 'it is the busiest node',
      nodes: [
        { node: 'node-1', cpuRatio: 0.5, latencyMs: 0, score: 0.85, why: null },
        { node: 'node-2', cpuRatio: 0.1, latencyMs: 60, score: null, why: 'too far' },
      ],
      pods: [
        { name: 'a', namespace: 'hello', node: 'node-1' },
        { name: 'b', namespace: 'hello', node: 'node-2' },
        { name: 'c', namespace: 'hello', node: null },
      ],
    });
  });

  it('is a table of nodes with the busiest one and who waits, or why there is none', () => {
    const text = latencyTable(latencyReport(pods, state));
    for (const part of ['node-1 (busiest)', '50.0 %', '60.0 ms', '0.850', 'too far', '1 of 3 pods'])
      assert.ok(text.includes(part), `${part} is in\n${text}`);
    const silent = latencyReport(pods, 'latency-extender does not answer');
    assert.match(latencyTable(silent), /^latency-extender does not answer; 1 of 3 pods wait/);
  });
});

describe("nodes' CPU", () => {
  const nodes = [node('node-1', {}, true), node('node-2', {}, true)] as never[];
  const sample = (metric: Record<string, string>, value: string) =>
    ({ metric, value: [1, value] }) as const;

  it('is mapped by node label, name or address, and left out where it is no number', () => {
    const ratios = cpuByNode(
      [
        sample({ node: 'node-1' }, '0.25'),
        sample({ instance: '10.0.0.2:9100' }, '0.75'),
        sample({ instance: 'elsewhere:9100' }, '0.5'),
      ],
      nodes,
    );
    assert.deepEqual(
      [...ratios],
      [
        ['node-1', 0.25],
        ['node-2', 0.75],
      ],
    );
    assert.equal(cpuByNode([sample({ node: 'node-1' }, 'NaN')], nodes).size, 0);
  });

  it('is asked of a Prometheus in the cluster through the API server', () => {
    assert.deepEqual(proxiedService('http://kube-prom-stack-prometheus.monitoring.svc:9090'), {
      name: 'kube-prom-stack-prometheus',
      namespace: 'monitoring',
      port: 9090,
    });
    assert.equal(proxiedService('https://prometheus.example.org'), undefined);
    assert.equal(proxiedService('not a url'), undefined);
  });
});
