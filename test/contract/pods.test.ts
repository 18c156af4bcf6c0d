import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { KubeBinder } from '../../runtime/cpu-scheduler/adapters/kube-binder';
import { MemoryPods } from '../../runtime/cpu-scheduler/adapters/memory';
import type { Binder, Evictor } from '../../runtime/cpu-scheduler/ports';
import type { PodRef } from '../../runtime/cpu-scheduler/types';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { KubeEvictor } from '../../runtime/shared/kubernetes/evictor';
import {
  kubeLeaseStore,
  MemoryLeaseStore,
  type LeaseStore,
} from '../../runtime/shared/kubernetes/lease-store';
import { startControlPlane, type ControlPlane } from '../wire/support/control-plane';
import { apiOf, createNamespace, createPod, getPod } from '../wire/support/kube';

const NEVER = new AbortController().signal;

/** What a suite works with: the port, and how a pod comes to be. */
interface Subject {
  readonly binder: Binder;
  readonly evictor: Evictor;
  pod(name: string, guarded?: boolean): Promise<PodRef>;
  annotationsOf(pod: PodRef): Promise<Readonly<Record<string, string>>>;
}

/** What every Binder and Evictor promises. */
function contract(subject: () => Subject): void {
  it('binds a pod and annotates it in one write', async () => {
    const { binder, pod, annotationsOf } = subject();
    const one = await pod('plain');
    const notYet = await binder.look(one, 'n1');
    assert.equal(notYet.kind, 'retry');
    assert.deepEqual(await binder.bind(one, 'n1', { 'a.b/c': '1' }, NEVER), { kind: 'bound' });
    assert.equal((await annotationsOf(one))['a.b/c'], '1');
    assert.deepEqual(await binder.look(one, 'n1'), { kind: 'bound' });
    assert.deepEqual(await binder.look(one, 'n2'), { kind: 'taken', node: 'n1' });
  });

  it('a second binding changes nothing, and tells where the pod is', async () => {
    const { binder, pod } = subject();
    const one = await pod('twice');
    await binder.bind(one, 'n1', {}, NEVER);
    assert.deepEqual(await binder.bind(one, 'n1', {}, NEVER), { kind: 'bound' });
    assert.deepEqual(await binder.bind(one, 'n2', {}, NEVER), { kind: 'taken', node: 'n1' });
    assert.deepEqual(await binder.look(one, 'n1'), { kind: 'bound' });
  });

  it('does not bind a pod that is gone, or another of the same name', async () => {
    const { binder, pod } = subject();
    const none = { namespace: 'work', name: 'none', uid: randomUUID() };
    assert.deepEqual(await binder.bind(none, 'n1', {}, NEVER), { kind: 'gone' });
    const one = await pod('namesake');
    assert.deepEqual(await binder.bind({ ...one, uid: none.uid }, 'n1', {}, NEVER), {
      kind: 'gone',
    });
    assert.equal((await binder.look(one, 'n1')).kind, 'retry');
  });

  it('evicts a pod once, and no other of the same name', async () => {
    const { binder, evictor, pod } = subject();
    const one = await pod('leaving');
    await binder.bind(one, 'n1', {}, NEVER);
    assert.deepEqual(await evictor.evict({ ...one, uid: randomUUID() }), { kind: 'gone' });
    assert.equal((await evictor.evict(one)).kind, 'evicted');
    assert.equal((await binder.look(one, 'n1')).kind, 'gone');
    const none = { namespace: 'work', name: 'none', uid: randomUUID() };
    assert.deepEqual(await evictor.evict(none), { kind: 'gone' });
  });

  it('does not evict what a disruption budget protects', async () => {
    const { binder, evictor, pod } = subject();
    const one = await pod('guarded', true);
    await binder.bind(one, 'n1', {}, NEVER);
    assert.equal((await evictor.evict(one)).kind, 'protected');
    assert.equal((await binder.look(one, 'n1')).kind, 'bound');
  });
}

/** What every LeaseStore promises. */
function leaseContract(make: () => LeaseStore): void {
  it('refuses a write that rests on an old version, and keeps annotations', async () => {
    const store = make();
    assert.equal(await store.read(60_000), undefined);
    const spec = { holderIdentity: 'a', leaseDurationSeconds: 15 };
    const first = await store.write({ annotations: { k: '1' }, spec }, 60_000);
    assert.ok(first !== 'conflict');
    assert.equal(await store.write({ annotations: {}, spec }, 60_000), 'conflict');
    const { resourceVersion = '' } = first.metadata;
    const changed = { ...spec, holderIdentity: 'b' };
    const second = await store.write(
      { resourceVersion, annotations: { k: '2' }, spec: changed },
      5000,
    );
    assert.ok(second !== 'conflict');
    assert.equal(await store.write({ resourceVersion, annotations: {}, spec }, 60_000), 'conflict');
    const seen = await store.read(60_000);
    assert.equal(seen?.spec?.holderIdentity, 'b');
    assert.equal(seen?.metadata.annotations?.['k'], '2');
  });
}

describe('Binder and Evictor in memory', () => {
  const pods = new MemoryPods();
  contract(() => ({
    binder: pods,
    evictor: pods,
    pod: async (name, guarded = false) => {
      const pod = { namespace: 'work', name, uid: randomUUID(), protected: guarded };
      pods.add(pod);
      return { namespace: 'work', name, uid: pod.uid };
    },
    annotationsOf: async ({ name }) => pods.pods.get(`work/${name}`)?.annotations ?? {},
  }));
});

describe('LeaseStore in memory', () => leaseContract(() => new MemoryLeaseStore()));

describe('Binder, Evictor and LeaseStore in a real API server', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let api: KubeApi;
  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    plane = await startControlPlane();
    api = await apiOf(plane.kubeconfig);
    await createNamespace(api, 'work');
  });
  after(async () => {
    await api?.close();
    await plane?.stop();
  });

  contract(() => ({
    binder: new KubeBinder(api),
    evictor: new KubeEvictor(api),
    pod: async (name, guarded = false) => {
      const labels = guarded ? { app: 'guarded' } : {};
      const { metadata } = await createPod(api, 'work', name, { metadata: { labels } });
      if (guarded) await guard(api, name);
      return { namespace: 'work', name, uid: metadata.uid };
    },
    annotationsOf: async ({ namespace, name }) =>
      (await getPod(api, namespace, name)).metadata.annotations ?? {},
  }));
  leaseContract(() => kubeLeaseStore(api, 'work', 'lease'));
});

/** A budget that allows no disruption of the pods labelled app=guarded, and a pod that runs and is healthy. */
async function guard(api: KubeApi, pod: string): Promise<void> {
  const budgets = '/apis/policy/v1/namespaces/work/poddisruptionbudgets';
  const contentType = 'application/merge-patch+json';
  const spec = { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } };
  const counts = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 };
  await api.request({
    method: 'POST',
    path: budgets,
    body: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'b' }, spec },
  });
  await api.request({
    method: 'PATCH',
    path: `${budgets}/b/status`,
    contentType,
    body: { status: { ...counts, observedGeneration: 1 } },
  });
  const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  await api.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/work/pods/${pod}/status`,
    contentType,
    body: { status: ready },
  });
}
