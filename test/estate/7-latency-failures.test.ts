import assert from 'node:assert/strict';
import type { V1Pod } from '@kubernetes/client-node';
import { LATENCY_EXTENDER_NAME, LATENCY_SCHEDULER_NAME } from '../../components/plan';
import { BindingWatch } from './support/binding-watch';
import { isReady, SYSTEM, uidOf, type EstateCluster } from './support/cluster';
import { NODES, waitForState } from './support/latency-extender';
import { numbered, place, smallPod } from './support/latency-pods';
import { processOf } from './support/leader-process';
import { setTaint } from './support/node-taints';
import { ProberNodes } from './support/prober-nodes';
import { estateCluster } from './support/session';
import { bound, TestNamespace } from './support/test-namespace';
import { waitUntil } from './support/wait-until';

const TAINT = { key: 'latency-test/kept-free', effect: 'NoSchedule' };
const tolerations = [{ key: TAINT.key, operator: 'Exists' }];
/** Labels that nodes get while the test runs, and how they are taken off. */
const LATER = { 'latency-test/later': 'true' };
const NOT_LATER = { 'latency-test/later': null };

describe('latency-aware scheduling without its parts', function () {
  this.timeout(3_600_000);
  this.bail(true);

  let cluster: EstateCluster;
  let namespace: TestNamespace;

  before(async () => {
    cluster = await estateCluster();
    namespace = await TestNamespace.create(cluster, 'latency-failures-test');
  });
  after(() => namespace?.remove());

  const replicasOf = (name: string) => cluster.pods(SYSTEM, `app.kubernetes.io/name=${name}`);

  it('places pods though no prober is left, with an event that says so', async () => {
    const probers = await ProberNodes.of(cluster);
    try {
      await probers.leave(NODES);
      await waitForState(cluster, 'that nothing is fresh', ({ nothingFresh }) => nothingFresh);
      const { node, told } = await place(cluster, namespace, 'blind');
      assert.equal(told.nothingFresh, true);
      assert.ok(node !== undefined && told.filter?.passed === told.filter?.asked);
      await waitUntil('the event', async () =>
        (await namespace.events('LatencyReadingsUnknown')).some(
          ({ regarding, type }) => regarding?.name === 'blind' && type === 'Warning',
        ),
      );
      await namespace.removePods('placed');
    } finally {
      await probers.return();
    }
    await waitForState(cluster, 'all probers', ({ freshNodes }) => freshNodes === NODES.length);
  });

  it('lets its pods wait while there is no extender, and no others', async () => {
    const scale = (replicas: number) =>
      cluster.scaleDeployment(SYSTEM, LATENCY_EXTENDER_NAME, replicas);
    const extenders = () => replicasOf(LATENCY_EXTENDER_NAME);
    const { spec } = await cluster.apps.readNamespacedDeployment({
      name: LATENCY_EXTENDER_NAME,
      namespace: SYSTEM,
    });
    const replicas = spec?.replicas ?? 1;
    try {
      await scale(0);
      await waitUntil('the extender to be gone', async () => (await extenders()).length === 0);
      await Promise.all(
        numbered('waiting', 3).map((pod) =>
          namespace.createPod(smallPod(pod, LATENCY_SCHEDULER_NAME)),
        ),
      );
      await waitUntil('an event about each', async () => {
        const failed = (await namespace.events('FailedScheduling')).filter(({ note }) =>
          note?.includes(':3001/filter'),
        );
        const names = failed.map(({ regarding }) => regarding?.name);
        return numbered('waiting', 3).every(({ name }) => names.includes(name));
      });
      await Promise.all(numbered('other', 3).map((pod) => namespace.createPod(smallPod(pod))));
      await namespace.allBound('other', 3);
      assert.deepEqual(bound(await namespace.pods('waiting')), []);
    } finally {
      await scale(replicas);
    }
    await namespace.allBound('waiting', 3);
    for (const role of ['waiting', 'other']) await namespace.removePods(role);
  });

  it('binds each pod of a burst once when the leader is killed amid them', async () => {
    const late = numbered('late', 10).map((pod) => ({ ...pod, nodeSelector: LATER }));
    const early = numbered('early', 20);
    const schedulers = await twoReplicas();
    const watch = await BindingWatch.start(cluster, namespace.name, 'role in (early,late)');
    try {
      // What replaces the dead leader must wait, so that it is the other one that takes over.
      await setTaint(cluster, TAINT, true);
      const leader = await cluster.leader(LATENCY_SCHEDULER_NAME);
      const pid = await processOf(leader, 'kube-scheduler');
      let killed = false;
      watch.onBound = () => {
        killed ||= process.kill(pid, 'SIGKILL');
      };
      await Promise.all(
        [...late, ...early].map((pod) =>
          namespace.createPod(smallPod({ ...pod, tolerations }, LATENCY_SCHEDULER_NAME)),
        ),
      );
      await waitUntil('the leader to be killed', async () => killed);
      await cluster.core.deleteNamespacedPod({
        name: leader.metadata?.name ?? '',
        namespace: SYSTEM,
        gracePeriodSeconds: 0,
      });
      const next = await waitUntil('another replica to lead', async () => {
        const now = await cluster.leader(LATENCY_SCHEDULER_NAME);
        return uidOf(now) !== uidOf(leader) && now;
      });
      assert.ok(schedulers.some((pod) => uidOf(pod) === uidOf(next)));
      // No node could take these before.
      assert.deepEqual(bound(await namespace.pods('late')), []);
      await labelNodes(LATER);
      await namespace.allBound('early', early.length);
      await namespace.allBound('late', late.length);
    } finally {
      await setTaint(cluster, TAINT, false);
      await labelNodes(NOT_LATER);
    }
    const pods = [...(await namespace.pods('early')), ...(await namespace.pods('late'))];
    await waitUntil('all bindings to be seen', async () =>
      pods.every((pod) => watch.nodesOf.has(uidOf(pod))),
    );
    await watch.stop();
    assert.equal(watch.nodesOf.size, pods.length);
    for (const pod of pods)
      assert.deepEqual([...(watch.nodesOf.get(uidOf(pod)) ?? [])], [pod.spec?.nodeName]);
    await assertToldOnce(pods);
    for (const role of ['early', 'late']) await namespace.removePods(role);
    await twoReplicas();
  });

  const twoReplicas = () =>
    waitUntil('two replicas', async () => {
      const all = await replicasOf(LATENCY_SCHEDULER_NAME);
      return all.length === 2 && all.every(isReady) && all;
    });

  const labelNodes = (labels: Readonly<Record<string, string | null>>) =>
    Promise.all(NODES.map((node) => cluster.labelNode(node, labels)));

  /** No event says that a pod was bound to another node than the one it was bound to first. */
  async function assertToldOnce(pods: readonly V1Pod[]): Promise<void> {
    const lateOnes = pods.filter(({ metadata }) => metadata?.labels?.role === 'late');
    // The killed one may have taken with it what it had to tell; who lives tells of all.
    const told = await waitUntil('an event about each that the new leader has bound', async () => {
      const events = await namespace.events('Scheduled');
      const names = new Set(events.map(({ regarding }) => regarding?.uid));
      return lateOnes.every((pod) => names.has(uidOf(pod))) && events;
    });
    for (const pod of pods) {
      const own = told.filter(({ regarding }) => regarding?.uid === uidOf(pod));
      // An event may be written again when its answer was lost.
      const notes = new Set(own.map(({ note }) => note));
      assert.ok(notes.size <= 1, `${pod.metadata?.name}: ${[...notes].join('; ')}`);
    }
  }
});
