import assert from 'node:assert/strict';
import { pino } from 'pino';
import { observedNode } from '../../runtime/node-availability/observed-node';
import { KubeJobs, KubeNodeLabels } from '../../runtime/node-controller/adapters/kube-objects';
import { KubeWatch } from '../../runtime/node-controller/adapters/kube-watch';
import { MemoryCluster } from '../../runtime/node-controller/adapters/memory';
import { observedJob } from '../../runtime/node-controller/adapters/project';
import type { ClusterWatch, Jobs, NodeLabels } from '../../runtime/node-controller/ports';
import { systemClock } from '../../runtime/shared/clock';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import type { Node } from '../../runtime/shared/kubernetes/types';
import { observed } from '../policy/node-availability/support';
import { job as memoryJob, pod as memoryPod } from '../policy/node-controller/support';
import { startControlPlane, type ControlPlane } from '../wire/support/control-plane';
import {
  annotateJob,
  bindPod,
  createPodOf,
  createQueuedJob,
  deleteJob,
  endPod,
  getJob,
} from '../wire/support/jobs';
import { apiOf, createNamespace, createNode, eventually } from '../wire/support/kube';

const NEVER = new AbortController().signal;
const LIMIT_MS = 120_000;

/** What a suite works with: the ports, and how things come to be. */
interface Subject {
  readonly labels: NodeLabels;
  readonly jobs: Jobs;
  readonly watch: ClusterWatch;
  makeNode(name: string, labels: Record<string, string>): Promise<void>;
  labelsOf(node: string): Promise<Readonly<Record<string, string>>>;
  makeJob(name: string): Promise<void>;
  changeJob(name: string): Promise<void>;
  removeJob(name: string): Promise<void>;
  isSuspended(name: string): Promise<boolean>;
  /** Makes the pod of a Job, on a node, and lets it end. */
  runPod(job: string, node: string): Promise<void>;
  endPod(job: string): Promise<void>;
}

/** What every adapter promises. */
function contract(subject: () => Subject): void {
  const jobNamed = async (name: string) => {
    const { jobs } = await subject().jobs.look(NEVER);
    return jobs.find((one) => one.name === name) ?? assert.fail(`no Job ${name}`);
  };

  it('sets and takes off the labels that a patch names, and no others', async () => {
    const { labels, makeNode, labelsOf } = subject();
    await makeNode('a', { 'posture/rank': '3', mine: 'yes' });
    const patch = { node: 'a', labels: { 'posture/rank': null, 'posture/eligible': 'true' } };
    assert.deepEqual(await labels.patch(patch, NEVER), { kind: 'done' });
    const now = await labelsOf('a');
    assert.deepEqual(
      [now['posture/rank'], now['posture/eligible'], now['mine']],
      [undefined, 'true', 'yes'],
    );
    assert.deepEqual(await labels.patch(patch, NEVER), { kind: 'done' });
    assert.deepEqual(await labels.patch({ ...patch, node: 'none' }, NEVER), { kind: 'gone' });
  });

  it('releases a Job that is as it was seen, once', async () => {
    const { jobs, makeJob, isSuspended } = subject();
    await makeJob('once');
    const seen = await jobNamed('once');
    assert.deepEqual([seen.queued, seen.posture, seen.suspended], [true, true, true]);
    assert.deepEqual(await jobs.release(seen, NEVER), { kind: 'done' });
    assert.equal(await isSuspended('once'), false);
    assert.equal((await jobNamed('once')).suspended, false);
    assert.deepEqual(await jobs.release(seen, NEVER), { kind: 'changed' });
  });

  it('does not release a Job that has changed, is gone, or was made anew under its name', async () => {
    const { jobs, makeJob, changeJob, removeJob, isSuspended } = subject();
    await makeJob('other');
    const seen = await jobNamed('other');
    await changeJob('other');
    assert.deepEqual(await jobs.release(seen, NEVER), { kind: 'changed' });
    assert.equal(await isSuspended('other'), true);
    await removeJob('other');
    assert.deepEqual(await jobs.release(seen, NEVER), { kind: 'gone' });
    await makeJob('other');
    assert.equal((await jobs.release(seen, NEVER)).kind, 'changed');
    assert.equal(await isSuspended('other'), true);
  });

  it('sees whose pod is where, and that it has ended', async () => {
    const { jobs, makeJob, runPod, endPod: end } = subject();
    await makeJob('runs');
    const { uid } = await jobNamed('runs');
    const podOf = async () => (await jobs.look(NEVER)).pods.find(({ jobUid }) => jobUid === uid);
    assert.equal(await podOf(), undefined);
    await runPod('runs', 'a');
    const running = await podOf();
    assert.deepEqual([running?.posture, running?.nodeName, running?.ended], [true, 'a', false]);
    await end('runs');
    assert.equal((await podOf())?.ended, true);
  });

  it('watches nodes and Jobs, and calls back on what may change a decision, but not on a rank', async () => {
    const { watch, labels, makeNode, makeJob } = subject();
    const end = new AbortController();
    let changes = 0;
    const running = watch.run(() => (changes += 1), end.signal);
    await eventually('it is synced', async () => watch.synced, LIMIT_MS);
    await makeNode('watched', { 'posture/eligible': 'true' });
    const find = () => watch.nodes().find(({ name }) => name === 'watched');
    await eventually('the node is seen', async () => find()?.ready === true, LIMIT_MS);
    const before = changes;
    await labels.patch({ node: 'watched', labels: { 'posture/rank': '1' } }, NEVER);
    await eventually('the rank', async () => find()?.labels['posture/rank'] === '1', LIMIT_MS);
    assert.equal(changes, before);
    await labels.patch({ node: 'watched', labels: { 'posture/eligible': null } }, NEVER);
    await eventually('the callback', async () => changes === before + 1, LIMIT_MS);
    assert.equal(find()?.labels['posture/eligible'], undefined);
    const queued = watch.queuedJobs;
    await makeJob('watched');
    await eventually('the Job is seen', async () => watch.queuedJobs === queued + 1, LIMIT_MS);
    assert.ok(changes > before + 1);
    end.abort();
    await running;
  });
}

describe('ports of the node controller in memory', () => {
  const cluster = new MemoryCluster();
  let uids = 0;
  const made = new Map<string, ReturnType<typeof memoryJob>>();
  const setJob = (name: string, uid: string): void => {
    made.set(name, cluster.setJob(memoryJob(name, { uid })));
  };
  const setPod = (job: string, changes: object): void =>
    cluster.setPod(memoryPod(`${job}-pod`, { jobUid: made.get(job)?.uid ?? '', ...changes }));
  const suspended = async (name: string) =>
    (await cluster.look()).jobs.find((one) => one.name === name)?.suspended;
  contract(() => ({
    labels: cluster,
    jobs: cluster,
    watch: cluster,
    makeNode: async (name, labels) => cluster.setNode(observed(name, { labels })),
    labelsOf: async (node) => cluster.nodes().find(({ name }) => name === node)?.labels ?? {},
    makeJob: async (name) => setJob(name, `uid-${(uids += 1)}`),
    changeJob: async (name) => setJob(name, made.get(name)?.uid ?? ''),
    removeJob: async (name) => cluster.removeJob(name),
    isSuspended: async (name) => (await suspended(name)) ?? assert.fail(`no Job ${name}`),
    runPod: async (job, nodeName) => setPod(job, { nodeName }),
    endPod: async (job) => setPod(job, { ended: true }),
  }));
});

describe('ports of the node controller in a real API server', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let api: KubeApi;
  before(async () => {
    plane = await startControlPlane();
    api = await apiOf(plane.kubeconfig);
    await createNamespace(api, 'work');
  });
  after(async () => {
    await api?.close();
    await plane?.stop();
  });

  contract(() => ({
    labels: new KubeNodeLabels(api),
    jobs: new KubeJobs(api, 'work'),
    watch: new KubeWatch(api, { jobsIn: 'work' }, systemClock, pino({ level: 'silent' })),
    makeNode: (name, labels) => createNode(api, { name, labels }),
    labelsOf: async (node) => {
      const raw = await api.request<Node>({ method: 'GET', path: `/api/v1/nodes/${node}` });
      return observedNode(raw).labels;
    },
    makeJob: async (name) => void (await createQueuedJob(api, 'work', name)),
    changeJob: async (name) => void (await annotateJob(api, 'work', name)),
    removeJob: async (name) => void (await deleteJob(api, 'work', name)),
    isSuspended: async (name) => observedJob(await getJob(api, 'work', name)).suspended,
    runPod: async (job, node) => {
      const { metadata } = await createPodOf(api, 'work', await getJob(api, 'work', job));
      await bindPod(api, 'work', metadata.name, node);
    },
    endPod: async (job) => void (await endPod(api, 'work', `${job}-pod`)),
  }));
});
