import assert from 'node:assert/strict';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { FakePrometheus } from './support/fake-prometheus';
import {
  apiOf,
  createNamespace,
  createNode,
  createPod,
  eventually,
  listPods,
} from './support/kube';
import { SchedulerProcess } from './support/scheduler-process';

const PODS = 200;
const NODES = 20;
const LATE = { late: 'true' };

describe('cpu-scheduler in two replicas, the leader killed in the middle of 200 pods', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let api: KubeApi;
  let prometheus: FakePrometheus;
  let replicas: SchedulerProcess[] = [];

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    [plane, prometheus] = await Promise.all([startControlPlane(), FakePrometheus.start()]);
    api = await apiOf(plane.kubeconfig);
    await createNamespace(api, 'work');
    await Promise.all(
      Array.from({ length: NODES }, async (_, index) => {
        prometheus.ratios.set(`node-${index}`, 0.1);
        await createNode(api, { name: `node-${index}`, cpu: '16', ip: `10.0.0.${index + 1}` });
      }),
    );
    const env = {
      KUBECONFIG: plane.kubeconfigPath,
      PROM_URL: prometheus.url,
      // Few at a time, so that there is a middle to be killed in.
      BIND_CONCURRENCY: '2',
      FIRST_READING_WAIT_MS: '600000',
      // What the first has bound counts for the second, however long the Lease takes to run out.
      POD_START_LIMIT_MS: '3600000',
      LEASE_DURATION_MS: '30000',
      LEASE_RENEW_DEADLINE_MS: '20000',
    };
    const first = await SchedulerProcess.start(env);
    await first.leads();
    replicas = [first, await SchedulerProcess.start(env)];
  });
  after(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await prometheus?.stop();
    await api?.close();
    await plane?.stop();
  });

  it('loses none, binds none twice, and the other replica takes over when the Lease has run out', async () => {
    const [first, second] = replicas as [SchedulerProcess, SchedulerProcess];
    const boundBy = (replica: SchedulerProcess) =>
      replica.lines.filter(({ msg }) => msg === 'pod bound').map((line) => String(line['pod']));
    const creating = Promise.all(
      Array.from({ length: PODS }, (_, index) =>
        createPod(api, 'work', `pod-${index}`, {
          cpu: '100m',
          // Half of them wait for nodes that come after the kill: however quick it is, it dies with some in hand.
          ...(index % 2 === 0 ? {} : { spec: { nodeSelector: LATE } }),
        }),
      ),
    );
    await eventually('some are bound', async () => boundBy(first).length >= 10);
    first.signal('SIGKILL');
    await first.exited;
    await creating;
    const whenKilled = (await listPods(api, 'work')).filter(({ spec }) => spec.nodeName);
    assert.ok(whenKilled.length <= PODS / 2, `${whenKilled.length} were bound`);
    await Promise.all(
      Array.from({ length: NODES }, (_, index) =>
        api.request({
          method: 'PATCH',
          path: `/api/v1/nodes/node-${index}`,
          contentType: 'application/merge-patch+json',
          body: { metadata: { labels: LATE } },
        }),
      ),
    );

    await second.leads();
    const pods = await eventually('all are bound', async () => {
      const seen = await listPods(api, 'work');
      return seen.every(({ spec }) => spec.nodeName !== undefined) && seen;
    });
    assert.equal(pods.length, PODS);
    for (const { metadata, spec } of whenKilled) {
      const now = pods.find((pod) => pod.metadata.uid === metadata.uid);
      assert.equal(now?.spec.nodeName, spec.nodeName, `${metadata.name} moved`);
    }
    const said = [...boundBy(first), ...boundBy(second)];
    assert.equal(new Set(said).size, said.length, 'a pod was bound twice');

    const perNode = new Map<string, number>();
    for (const { spec } of pods) {
      perNode.set(spec.nodeName ?? '', (perNode.get(spec.nodeName ?? '') ?? 0) + 1);
    }
    assert.equal(perNode.size, NODES);
    for (const [name, count] of perNode) {
      assert.ok(count <= PODS / NODES + 1, `${name} got ${count}, more than its share plus one`);
    }
  });
});
