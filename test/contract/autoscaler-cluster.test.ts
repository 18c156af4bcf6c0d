import assert from 'node:assert/strict';
import { pino } from 'pino';
import { KubeCluster } from '../../runtime/autoscaler/adapters/kube-cluster';
import { KubeWatch } from '../../runtime/autoscaler/adapters/kube-watch';
import { MemoryWorld } from '../../runtime/autoscaler/adapters/memory-world';
import type { Cluster, LeavingPod } from '../../runtime/autoscaler/ports';
import { autoscalerRbac } from '../../runtime/autoscaler/rbac';
import { View } from '../../runtime/autoscaler/state/view';
import { systemClock } from '../../runtime/shared/clock';
import { LeaseDisruptions } from '../../runtime/shared/disruptions/lease-disruptions';
import { NEVER_READ } from '../../runtime/shared/freshness';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { ApiError } from '../../runtime/shared/kubernetes/api-error';
import { loadConnection } from '../../runtime/shared/kubernetes/connection';
import { kubeLeaseStore } from '../../runtime/shared/kubernetes/lease-store';
import { KubeApi as Api } from '../../runtime/shared/kubernetes/api';
import { startControlPlane, type ControlPlane } from '../wire/support/control-plane';
import { apiOf, createNamespace, createNode, createPod, eventually } from '../wire/support/kube';
import { kubeconfigOf } from '../wire/support/service-account';

const PASSWORDS = '/api/v1/namespaces/kube-system/secrets';
const OWNER = 'ReplicaSet-uid';

/** What a suite works with: the port, and how things come to be. */
interface Subject {
  readonly cluster: Cluster;
  node(name: string, options?: { ready?: boolean; controlPlane?: boolean }): Promise<void>;
  /** A pod of a ReplicaSet that runs on a node. */
  pod(node: string, name: string, options?: { guarded?: boolean }): Promise<void>;
  /** The secret of a node's password. */
  password(node: string): Promise<void>;
  hasPassword(node: string): Promise<boolean>;
}

/** What every Cluster promises. */
function contract(subject: () => Subject): void {
  const leaving = async (node: string): Promise<readonly LeavingPod[]> =>
    (await subject().cluster.leavingPods(node)).filter(({ deleting }) => !deleting);

  it('says which nodes there are, whether they are Ready, and which are of the control plane', async () => {
    const { cluster, node } = subject();
    await node('k3s-worker-11');
    await node('k3s-worker-12', { ready: false });
    await node('server-1', { controlPlane: true });
    const states = { cordoned: false, controlPlane: false };
    assert.deepEqual(await cluster.node('k3s-worker-11'), {
      ...states,
      ...{ name: 'k3s-worker-11', ready: true },
    });
    assert.equal((await cluster.node('k3s-worker-12'))?.ready, false);
    assert.equal((await cluster.node('server-1'))?.controlPlane, true);
    assert.equal(await cluster.node('none'), undefined);
    const names = (await cluster.nodes()).map(({ name }) => name);
    for (const name of ['k3s-worker-11', 'k3s-worker-12', 'server-1'])
      assert.equal(names.filter((one) => one === name).length, 1, name);
  });

  it('cordons a node and uncordons it, however often; one that is not there is no error', async () => {
    const { cluster, node } = subject();
    await node('k3s-worker-21');
    for (const cordoned of [true, true, false, false]) {
      await cluster.setCordoned('k3s-worker-21', cordoned);
      assert.equal((await cluster.node('k3s-worker-21'))?.cordoned, cordoned);
    }
    await cluster.setCordoned('none', true);
  });

  it('evicts the pods of a node, and no other of the same name', async () => {
    const { cluster, node, pod } = subject();
    await node('k3s-worker-31');
    await pod('k3s-worker-31', 'leaving');
    await pod('k3s-worker-31', 'namesake');
    const pods = await leaving('k3s-worker-31');
    assert.deepEqual(pods.map(({ name }) => name).sort(), ['leaving', 'namesake']);
    const [one, other] = ['leaving', 'namesake'].map((name) =>
      pods.find((each) => each.name === name),
    );
    assert.ok(one && other);
    assert.deepEqual([one.controlled, one.ownerUid !== ''], [true, true]);
    assert.equal((await cluster.evict(one)).kind, 'evicted');
    assert.equal((await cluster.evict({ ...other, uid: crypto.randomUUID() })).kind, 'gone');
    assert.deepEqual(await leaving('k3s-worker-31'), [other]);
    assert.deepEqual(await cluster.leavingPods('none'), []);
  });

  it('does not evict what a disruption budget protects', async () => {
    const { cluster, node, pod } = subject();
    await node('k3s-worker-41');
    await pod('k3s-worker-41', 'guarded', { guarded: true });
    const [one] = await leaving('k3s-worker-41');
    assert.ok(one);
    assert.equal((await cluster.evict(one)).kind, 'protected');
    assert.deepEqual(await leaving('k3s-worker-41'), [one]);
  });

  it('removes a node and its password, twice if need be, and those of no other', async () => {
    const { cluster, node, password, hasPassword } = subject();
    for (const name of ['k3s-worker-51', 'k3s-worker-511']) {
      await node(name);
      await password(name);
    }
    for (let tried = 0; tried < 2; tried += 1) {
      await cluster.deleteNode('k3s-worker-51');
      await cluster.deleteNodePassword('k3s-worker-51');
    }
    assert.equal(await cluster.node('k3s-worker-51'), undefined);
    assert.equal(await hasPassword('k3s-worker-51'), false);
    assert.ok(await cluster.node('k3s-worker-511'));
    assert.equal(await hasPassword('k3s-worker-511'), true);
  });
}

describe('autoscaler cluster: memory', () => {
  const world = new MemoryWorld();
  contract(() => ({
    cluster: world,
    node: async (name, { ready = true, controlPlane = false } = {}) => {
      if (!controlPlane) world.addWorker(name);
      const plain = { name, ready, cordoned: false, controlPlane, password: true };
      world.known.set(name, plain);
    },
    pod: async (node, name, { guarded = false } = {}) =>
      world.addPod({ node, name, protected: guarded }),
    password: async (node) => void world.passwords.add(node),
    hasPassword: async (node) => world.passwords.has(node),
  }));
});

describe('autoscaler cluster: a real API server, with the rights of its table', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  /** Of the test, with all rights. */
  let admin: KubeApi;
  /** Of the autoscaler. */
  let api: KubeApi;
  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    plane = await startControlPlane();
    admin = await apiOf(plane.kubeconfig);
    await eventually('kube-system', () =>
      admin.request({ method: 'GET', path: '/api/v1/namespaces/kube-system' }),
    );
    const kubeconfig = await kubeconfigOf(
      plane,
      admin,
      'berth-system',
      'autoscaler',
      autoscalerRbac,
    );
    api = new Api(await loadConnection(kubeconfig), {
      ...{ timeoutMs: 120_000, connections: 8, userAgent: 'berth-test' },
    });
    // A fresh API server takes a moment to know new rights.
    await eventually('the rights', () => api.request({ method: 'GET', path: '/api/v1/nodes' }));
    await createNamespace(admin, 'work');
  });
  after(async () => {
    await api?.close();
    await admin?.close();
    await plane?.stop();
  });

  const owned = (kind: string) => ({
    labels: { app: kind },
    ownerReferences: [
      { apiVersion: 'apps/v1', kind, name: kind, uid: `${kind}-uid`, controller: true },
    ],
  });
  const bound = (node: string, name: string, metadata: object = owned('ReplicaSet')) =>
    createPod(admin, 'work', name, { metadata, spec: { nodeName: node } });
  const post = (path: string, body: object) => admin.request({ method: 'POST', path, body });
  const patchStatus = (path: string, status: object) =>
    admin.request({
      ...{ method: 'PATCH', path: `${path}/status`, body: { status } },
      contentType: 'application/merge-patch+json',
    });
  const protect = async (app: string, disruptionsAllowed: number): Promise<void> => {
    const path = '/apis/policy/v1/namespaces/work/poddisruptionbudgets';
    const spec = { minAvailable: 1, selector: { matchLabels: { app } } };
    await post(path, { apiVersion: 'policy/v1', metadata: { name: app }, spec });
    const counts = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, observedGeneration: 1 };
    await patchStatus(`${path}/${app}`, { ...counts, disruptionsAllowed });
  };

  contract(() => ({
    cluster: new KubeCluster(api),
    node: (name, { ready = true, controlPlane = false } = {}) =>
      createNode(admin, {
        ...{ name, ready },
        ...(controlPlane && { labels: { 'node-role.kubernetes.io/control-plane': 'true' } }),
      }),
    pod: async (node, name, { guarded = false } = {}) => {
      const metadata = owned('ReplicaSet');
      await bound(node, name, guarded ? { ...metadata, labels: { app: 'guarded' } } : metadata);
      if (!guarded) return;
      await protect('guarded', 0);
      const conditions = [{ type: 'Ready', status: 'True' }];
      await patchStatus(`/api/v1/namespaces/work/pods/${name}`, { phase: 'Running', conditions });
    },
    password: async (node) => {
      const metadata = { name: `${node}.node-password.k3s` };
      await post(PASSWORDS, { apiVersion: 'v1', kind: 'Secret', metadata });
    },
    hasPassword: async (node) => {
      const path = `${PASSWORDS}/${node}.node-password.k3s`;
      try {
        await admin.request({ method: 'GET', path });
        return true;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return false;
        throw error;
      }
    },
  }));

  it('leaves what goes with the node: pods of DaemonSets, of files on it, and those that ended', async () => {
    const NODE = 'k3s-worker-61';
    await createNode(admin, { name: NODE });
    await bound(NODE, 'of-daemon-set', owned('DaemonSet'));
    await bound(NODE, 'ended');
    await patchStatus('/api/v1/namespaces/work/pods/ended', { phase: 'Succeeded' });
    await bound(NODE, 'bare', {});
    const pods = await new KubeCluster(api).leavingPods(NODE);
    assert.deepEqual(
      pods.map(({ name, controlled, ownerUid }) => [name, controlled, ownerUid]),
      [['bare', false, '']],
    );
  });

  it('follows nodes, pods, claims, budgets and the record of evictions', async () => {
    const options = { leaseNamespace: 'berth-system', disruptionsLease: 'disruptions' };
    const watch = new KubeWatch(api, options, systemClock, pino({ level: 'silent' }));
    const nothing = { version: 0, reading: () => NEVER_READ };
    const bad: string[] = [];
    const view = new View({
      ...{ cpu: nothing, memory: nothing, synced: () => watch.synced },
      onBad: (what) => void bad.push(what),
    });
    let woken = 0;
    view.onWaiting = () => (woken += 1);
    const stop = new AbortController();
    const running = watch.run(view, stop.signal);
    try {
      await eventually('everything is listed', async () => watch.synced);
      assert.deepEqual(view.observe().pending, []);
      const classes = '/apis/storage.k8s.io/v1/storageclasses';
      const storageClass = { provisioner: 'test/none', volumeBindingMode: 'WaitForFirstConsumer' };
      await post(classes, { metadata: { name: 'local' }, ...storageClass });
      await post('/api/v1/namespaces/work/persistentvolumeclaims', {
        metadata: { name: 'data' },
        spec: {
          ...{ accessModes: ['ReadWriteOnce'], storageClassName: 'local' },
          resources: { requests: { storage: '1Gi' } },
        },
      });
      await createNode(admin, { name: 'k3s-worker-71' });
      await bound('k3s-worker-71', 'runs');
      await protect('watched', 3);
      const volumes = [
        { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'e', persistentVolumeClaim: { claimName: 'none' } },
      ];
      await createPod(admin, 'work', 'waits', { spec: { volumes } });
      const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }];
      await patchStatus('/api/v1/namespaces/work/pods/waits', { conditions });
      const store = kubeLeaseStore(api, 'berth-system', 'disruptions');
      const record = new LeaseDisruptions(store, systemClock, 60_000);
      const eviction = { podUid: 'u', pod: 'work/u', ownerUid: OWNER, node: 'n', by: 'test' };
      await record.change((now) => [...now, { ...eviction, atMs: Date.now() }]);

      const seen = await eventually('all of it is seen', async () => {
        const now = view.observe();
        const node = now.nodes.get('k3s-worker-71');
        const isThere =
          node?.podCount === 1 &&
          now.pending[0]?.claims[0]?.state === 'waits-for-pod' &&
          now.budgets.some(({ name }) => name === 'watched') &&
          now.evictions?.length === 1;
        return isThere && now;
      });
      assert.deepEqual(
        seen.pending.map(({ pod, claims }) => [pod.name, claims.map(({ state }) => state)]),
        [['waits', ['waits-for-pod', 'cannot-bind']]],
      );
      assert.equal(woken, 1);
      assert.equal(seen.budgets.find(({ name }) => name === 'watched')?.disruptionsAllowed, 3);
      assert.equal(seen.evictions?.[0]?.ownerUid, OWNER);
      assert.deepEqual(bad, []);

      await admin.request({
        ...{ method: 'PATCH', contentType: 'application/merge-patch+json' },
        path: '/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/disruptions',
        body: { metadata: { annotations: { 'berth.dev/evictions': '{' } } },
      });
      await eventually('the record is unknown', async () => view.observe().evictions === undefined);
      await admin.request({ method: 'DELETE', path: '/api/v1/nodes/k3s-worker-71' });
      await eventually('the node is gone', async () => !view.observe().nodes.has('k3s-worker-71'));
    } finally {
      stop.abort();
      await running;
    }
  });
});
