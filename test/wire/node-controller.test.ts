import assert from 'node:assert/strict';
import { nodeControllerRbac } from '../../runtime/node-controller/rbac';
import type { LastCount } from '../../runtime/node-controller/types';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import type { Lease, Node } from '../../runtime/shared/kubernetes/types';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { FakePrometheus } from './support/fake-prometheus';
import { bindPod, createPodOf, createQueuedJob, deleteJob, endPod, listJobs } from './support/jobs';
import { apiOf, createNode, eventually, listPods } from './support/kube';
import { RunningService } from './support/running-service';
import { kubeconfigOf } from './support/service-account';

const NAMESPACE = 'posture';
const NAME = 'posture-node-controller';
const GAUGE = 'available_node_count_30s';
const MAX_AGE_MS = 20_000;
const LIMIT_MS = 600_000;

describe('node controller in two replicas with a real API server', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let api: KubeApi;
  let prometheus: FakePrometheus;
  let env: Record<string, string>;
  let replicas: RunningService[] = [];

  before(async () => {
    [plane, prometheus] = await Promise.all([startControlPlane(), FakePrometheus.start()]);
    api = await apiOf(plane.kubeconfig);
    const rules = nodeControllerRbac({ releaseJobs: true });
    const kubeconfig = await kubeconfigOf(plane, api, NAMESPACE, NAME, rules);
    const nodes = { a: 0.3, b: 0.1, c: 0.2, plain: 0 };
    for (const [index, [name, ratio]] of Object.entries(nodes).entries()) {
      const labels = { 'posture/eligible': name === 'plain' ? 'false' : 'true' };
      await createNode(api, { name, ip: `10.0.0.${index + 1}`, labels });
      prometheus.ratios.set(name, ratio);
    }
    env = {
      KUBECONFIG: kubeconfig,
      LEASE_NAMESPACE: NAMESPACE,
      PROM_URL: prometheus.url,
      CPU_POLL_INTERVAL_MS: '1000',
      CONTROLLER_INTERVAL_MS: '2000',
      READING_MAX_AGE_MS: String(MAX_AGE_MS),
      RELEASE_JOBS: 'true',
      // A machine that is busy with other tests is no reason to change leaders.
      LEASE_DURATION_MS: '30000',
      LEASE_RENEW_DEADLINE_MS: '20000',
    };
    const first = await RunningService.start('node-controller', env);
    await first.leads();
    replicas = [first, await RunningService.start('node-controller', env)];
  });
  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const { lines } of replicas)
      process.stderr.write(
        `${lines
          .slice(-15)
          .map((line) => JSON.stringify(line))
          .join('\n')}\n\n`,
      );
  });
  after(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await prometheus?.stop();
    await api?.close();
    await plane?.stop();
  });

  const lastOf = async (replica: RunningService): Promise<LastCount> => {
    const { status, body } = await replica.get('/last');
    assert.equal(status, 200);
    return body as unknown as LastCount;
  };
  const ranks = async (): Promise<Record<string, string | undefined>> => {
    const { items } = await api.request<{ items: Node[] }>({
      method: 'GET',
      path: '/api/v1/nodes',
    });
    return Object.fromEntries(
      items.map(({ metadata }) => [metadata.name, metadata.labels?.['posture/rank']]),
    );
  };
  const ranksBecome = (wanted: Record<string, string>) =>
    eventually(
      `ranks ${JSON.stringify(wanted)}`,
      async () => {
        const now = Object.entries(await ranks()).filter(([, rank]) => rank !== undefined);
        return JSON.stringify(Object.fromEntries(now.sort())) === JSON.stringify(wanted);
      },
      LIMIT_MS,
    );
  const gaugeBecomes = (replica: RunningService, count: number) =>
    eventually(`${GAUGE} ${count}`, async () => (await replica.metric(GAUGE)) === count, LIMIT_MS);
  const label = (node: string, value: string | null) =>
    api.request({
      method: 'PATCH',
      path: `/api/v1/nodes/${node}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { 'posture/eligible': value } } },
    });
  const both = (): [RunningService, RunningService] => replicas as [RunningService, RunningService];

  it('counts on both replicas, and ranks by CPU', async () => {
    for (const replica of both()) await gaugeBecomes(replica, 3);
    await ranksBecome({ a: '3', b: '1', c: '2' });
    for (const replica of both()) {
      const { nodes, availableNodeCount } = await lastOf(replica);
      assert.equal(availableNodeCount, 3);
      assert.deepEqual(
        nodes.map(({ node, rank, rule }) => [node, rank, rule]),
        [
          ['a', 3, undefined],
          ['b', 1, undefined],
          ['c', 2, undefined],
          ['plain', null, 'not-eligible'],
        ],
      );
      assert.equal((await replica.get('/readyz')).status, 200);
    }
  });

  it('has one leader, and only that one writes', async () => {
    const [first, second] = both();
    assert.equal((await lastOf(first)).leader, true);
    assert.equal((await lastOf(second)).leader, false);
    assert.ok(first.lines.some(({ msg }) => msg === 'labelled a node'));
    assert.ok(!second.lines.some(({ msg }) => msg === 'labelled a node'));
    assert.deepEqual(
      await Promise.all([first, second].map((one) => one.metric('node_controller_leader'))),
      [1, 0],
    );
  });

  it('counts a node no more once its label is gone, and again when it is back', async () => {
    await label('b', null);
    for (const replica of both()) await gaugeBecomes(replica, 2);
    await ranksBecome({ a: '2', c: '1' });
    await label('b', 'true');
    for (const replica of both()) await gaugeBecomes(replica, 3);
    await ranksBecome({ a: '3', b: '1', c: '2' });
  });

  it('takes the rank of a hot node, and gives it one when it has cooled', async () => {
    prometheus.ratios.set('b', 0.7);
    await ranksBecome({ a: '2', c: '1' });
    const [first] = both();
    const hot = (await lastOf(first)).nodes.find(({ node }) => node === 'b');
    assert.equal(hot?.rule, 'over-threshold');
    prometheus.ratios.set('b', 0.25);
    await ranksBecome({ a: '3', b: '2', c: '1' });
  });

  it('goes by the last good readings while Prometheus fails, then counts 0 and says why', async () => {
    const [first] = both();
    prometheus.mode = 'error 500';
    const wrong: unknown[] = [];
    await eventually(
      'no node counts any more',
      async () => {
        const { nodes, availableNodeCount } = await lastOf(first);
        for (const verdict of nodes.filter(({ node }) => node !== 'plain')) {
          const rule = (verdict.cpuAgeMs ?? Infinity) <= MAX_AGE_MS ? undefined : 'cpu-unknown';
          if (verdict.rule !== rule) wrong.push(verdict);
        }
        return availableNodeCount === 0;
      },
      LIMIT_MS,
    );
    assert.deepEqual(wrong, []);
    const { cpuProblem, nodes } = await lastOf(first);
    assert.match(cpuProblem ?? '', /HTTP 500/);
    assert.match(nodes[0]?.why ?? '', /more than 20 s/);
    await gaugeBecomes(first, 0);
    await ranksBecome({});
    prometheus.mode = 'ratios';
    await gaugeBecomes(first, 3);
    await ranksBecome({ a: '3', b: '2', c: '1' });
  });

  it('releases queued Jobs, oldest first, never more than there are berths for', async () => {
    const names = ['j1', 'j2', 'j3', 'j4', 'j5', 'j6', 'j7'];
    for (const name of names) await createQueuedJob(api, NAMESPACE, name);
    let most = 0;
    const homeless: string[] = [];
    // Plays the Job controller, the scheduler and the kubelets, a step at a time.
    await eventually(
      'all have run',
      async () => {
        const jobs = await listJobs(api, NAMESPACE);
        const active = jobs.filter(({ spec }) => spec?.suspend !== true);
        most = Math.max(most, active.length);
        const pods = await listPods(api, NAMESPACE);
        const podOf = (name: string) =>
          pods.find(({ metadata }) => metadata.name === `${name}-pod`);
        const bare = active.find(({ metadata }) => podOf(metadata.name) === undefined);
        if (bare !== undefined) {
          await createPodOf(api, NAMESPACE, bare);
          return false;
        }
        const unbound = pods.find(({ spec }) => !spec.nodeName);
        if (unbound !== undefined) {
          const busy = pods.filter(({ status }) => status?.phase !== 'Succeeded');
          const free = ['a', 'b', 'c'].find((name) =>
            busy.every((one) => one.spec.nodeName !== name),
          );
          if (free === undefined) {
            homeless.push(unbound.metadata.name);
            return true;
          }
          await bindPod(api, NAMESPACE, unbound.metadata.name, free);
          return false;
        }
        // All three berths are taken, or the queue is empty: one ends.
        const waiting = jobs.length > active.length;
        const [oldest] = active;
        if (oldest === undefined || (waiting && active.length < 3)) return jobs.length === 0;
        await endPod(api, NAMESPACE, `${oldest.metadata.name}-pod`);
        await deleteJob(api, NAMESPACE, oldest.metadata.name);
        return false;
      },
      LIMIT_MS,
    );
    assert.deepEqual(
      [most, homeless],
      [3, []],
      'most Jobs at a time, and pods without a free node',
    );
    const released = both()
      .flatMap(({ lines }) => lines.filter(({ msg }) => msg === 'released a Job'))
      .map((line) => String(line['job']));
    assert.deepEqual(released, names);
  });

  it('when the leader is killed the other takes over', async () => {
    const [first, second] = both();
    first.signal('SIGKILL');
    await first.exited;
    await second.leads();
    prometheus.ratios.set('c', 0.5);
    await ranksBecome({ a: '2', b: '1', c: '3' });
    assert.equal((await lastOf(second)).leader, true);
  });

  it('stops cleanly: gives the Lease up, and leaves the labels', async () => {
    const [, second] = both();
    assert.equal(await second.stop(), 0);
    const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${NAME}`;
    const lease = await api.request<Lease>({ method: 'GET', path });
    assert.equal(lease.spec?.holderIdentity ?? '', '');
    await ranksBecome({ a: '2', b: '1', c: '3' });
  });
});
