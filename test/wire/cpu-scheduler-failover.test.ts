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

describe('cpu-scheduler in two replicas, the leader killed in the middle of 200 pods', function () {
  this.timeout(300_000);
  let plane: ControlPlane;
  let api: KubeApi;
  let prometheus: FakePrometheus;
  let replicas: SchedulerProcess[] = [];

  before(async () => {
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

  it('loses none, binds none twice, and the other replica takes over within 20 s', async () => {
    const [first, second] = replicas as [SchedulerProcess, SchedulerProcess];
    const boundBy = (replica: SchedulerProcess) =>
      replica.lines.filter(({ msg }) => msg === 'pod bound').map((line) => String(line['pod']));
    const creating = Promise.all(
      Array.from({ length: PODS }, (_, index) =>
        createPod(api, 'work', `pod-${index}`, { cpu: '100m' }),
      ),
    );
    await eventually('some are bound', async () => boundBy(first).length >= 30);
    first.signal('SIGKILL');
    const killedMs = Date.now();
    await first.exited;
    const boundWhenKilled = boundBy(first).length;
    await creating;
    assert.ok(boundWhenKilled < PODS, `killed too late: ${boundWhenKilled} were bound`);

    await second.leads();
    const tookOverMs = Date.now() - killedMs;
    assert.ok(tookOverMs < 20_000, `took over after ${tookOverMs} ms`);
    const pods = await eventually('all are bound', async () => {
      const seen = await listPods(api, 'work');
      return seen.every(({ spec }) => spec.nodeName !== undefined) && seen;
    });
    assert.equal(pods.length, PODS);
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
