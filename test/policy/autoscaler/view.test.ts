import assert from 'node:assert/strict';
import { projectBudget } from '../../../runtime/autoscaler/adapters/project-storage';
import { View } from '../../../runtime/autoscaler/state/view';
import { matchesLabelSelector } from '../../../runtime/cpu-scheduler/policy/selectors';
import type { Reading } from '../../../runtime/shared/freshness';
import type { Pod } from '../../../runtime/shared/kubernetes/types';
import { bound, worker } from './support';

const raw = (name: string, more: { spec?: object; status?: object } = {}): Pod => ({
  metadata: { name, namespace: 'ns', uid: `uid-${name}` },
  spec: { containers: [{ name: 'main' }], ...more.spec },
  status: {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False' }],
    ...more.status,
  },
});
const withClaim = (name: string): Pod =>
  raw(name, { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] } });

describe('autoscaler: what is known of the cluster', () => {
  let view: View;
  let woken: number;
  let looks: number;
  let ratios: Record<string, Reading<number>>;

  beforeEach(() => {
    woken = 0;
    ratios = {};
    looks = 0;
    const readings = {
      get version() {
        return looks;
      },
      reading: (node: string): Reading<number> =>
        ratios[node] ?? { state: 'unknown', why: 'never read' },
    };
    view = new View({
      ...{ cpu: readings, memory: readings, synced: () => true },
      onBad: () => undefined,
    });
    view.onWaiting = () => (woken += 1);
  });

  it('shows pods that wait, from when their scheduler has found no node until they are bound', () => {
    view.unbound.set(raw('a', { status: { conditions: [] } }));
    assert.deepEqual([view.observe().pending.length, woken], [0, 0]);
    view.unbound.set(raw('a'));
    view.unbound.set(raw('a'));
    assert.deepEqual([view.observe().pending.length, woken], [1, 1]);
    view.unbound.remove(raw('a'));
    assert.equal(view.observe().pending.length, 0);
  });

  it('looks at the claims of a pod again when storage has changed', () => {
    const state = (): string | undefined => view.observe().pending[0]?.claims[0]?.state;
    view.unbound.set(withClaim('a'));
    assert.equal(state(), 'cannot-bind');
    const claim = { uid: 'c', namespace: 'ns', name: 'data', phase: 'Pending', volumeName: '' };
    view.claims.set({ ...claim, className: 'local' });
    assert.equal(state(), 'cannot-bind');
    const local = { uid: 's', name: 'local', provisions: true, waitsForPod: true };
    view.classes.set(local);
    assert.equal(state(), 'waits-for-pod');
    view.classes.remove(local);
    assert.equal(state(), 'cannot-bind');
    view.claims.set({ ...claim, phase: 'Bound', volumeName: 'v' });
    view.volumes.set({ uid: 'v', name: 'v', available: false, className: 'local' });
    assert.equal(state(), 'bound');
  });

  it('keeps a node that was made anew under its name when the old one is told to be gone', () => {
    const old = worker(3);
    view.nodes.set(old);
    view.nodes.set({ ...old, uid: 'new' });
    view.nodes.remove(old);
    assert.ok(view.observe().nodes.has(old.name));
    view.nodes.remove({ ...old, uid: 'new' });
    assert.equal(view.observe().nodes.has(old.name), false);
  });

  it('shows pods on their nodes, and what each node uses; what was never read is unknown', () => {
    for (const number of [1, 2]) view.nodes.set(worker(number));
    const pod = bound('a', 1);
    view.bound.set(pod);
    ratios = { 'k3s-worker-1': { state: 'known', value: 0.25, takenAtMs: 1 } };
    const { nodes } = view.observe();
    assert.equal(nodes.get('k3s-worker-1')?.podCount, 1);
    assert.deepEqual(nodes.get('k3s-worker-1')?.cpuRatio, ratios['k3s-worker-1']);
    assert.equal(nodes.get('k3s-worker-2')?.memoryRatio.state, 'unknown');
    view.bound.remove(pod);
    assert.equal(view.observe().nodes.get('k3s-worker-1')?.podCount, 0);
  });

  it('takes readings over whenever some were taken, and has those of a node that comes between', () => {
    const known = (value: number): Reading<number> => ({ state: 'known', value, takenAtMs: 1 });
    const seen = (name: string) => view.observe().nodes.get(name)?.cpuRatio;
    view.nodes.set(worker(1));
    ratios = { 'k3s-worker-1': known(0.25), 'k3s-worker-2': known(0.75) };
    looks += 1;
    assert.deepEqual(seen('k3s-worker-1'), known(0.25));
    view.nodes.set(worker(2));
    assert.deepEqual(seen('k3s-worker-2'), known(0.75));
    ratios = { 'k3s-worker-1': known(0.5) };
    looks += 1;
    assert.deepEqual(seen('k3s-worker-1'), known(0.5));
    assert.equal(seen('k3s-worker-2')?.state, 'unknown');
  });

  it('knows a worker from a node of the control plane, which a node may come to be', () => {
    const isWorker = () => view.observe().nodes.get('k3s-worker-1')?.worker;
    const info = worker(1);
    view.nodes.set(info);
    assert.equal(isWorker(), true);
    const labels = { ...info.labels, 'node-role.kubernetes.io/control-plane': 'true' };
    view.nodes.set({ ...info, labels });
    assert.equal(isWorker(), false);
  });

  it('has no evictions where there is no record, and does not know them where nobody can read it', () => {
    assert.deepEqual(view.observe().evictions, []);
    const record = { uid: 'l', name: 'disruptions', evictions: undefined };
    view.evictions.set(record);
    assert.equal(view.observe().evictions, undefined);
    view.evictions.remove(record);
    assert.deepEqual(view.observe().evictions, []);
  });
});

describe('autoscaler: PodDisruptionBudgets', () => {
  const metadata = { name: 'b', namespace: 'ns', uid: 'b', generation: 2 };
  const status = { disruptionsAllowed: 1, observedGeneration: 2 };

  it('allow nothing before they were counted since they were changed', () => {
    assert.equal(projectBudget({ metadata, status }).disruptionsAllowed, 1);
    const before = { ...status, observedGeneration: 1 };
    assert.equal(projectBudget({ metadata, status: before }).disruptionsAllowed, 0);
    assert.equal(projectBudget({ metadata }).disruptionsAllowed, 0);
  });

  it('are for all pods with an empty selector, and for none without one', () => {
    const matches = (spec: { selector?: object | null }): boolean =>
      matchesLabelSelector(projectBudget({ metadata, status, spec }).selector, { app: 'x' });
    assert.equal(matches({ selector: {} }), true);
    assert.equal(matches({ selector: { matchLabels: { app: 'y' } } }), false);
    assert.equal(matches({ selector: null }), false);
    assert.equal(matches({}), false);
  });
});
