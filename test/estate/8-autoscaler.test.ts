import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { AUTOSCALER_NAME } from '../../components/plan';
import { DOWN_STEPS } from '../../runtime/autoscaler/types';
import {
  AutoscalerEstate,
  isReadyNode,
  nameOf,
  preferring,
  socketProxyProcess,
  spread,
  type HistoryEvent,
} from './support/autoscaler';
import { readMongo } from './support/autoscaler-stores';
import { isReady, PAUSE_IMAGE, podOf, SYSTEM, type EstateCluster } from './support/cluster';
import { processOf } from './support/leader-process';
import { estate, estateCluster } from './support/session';
import { readyStatus } from './support/status';
import { TestNamespace } from './support/test-namespace';
import { waitUntil } from './support/wait-until';

const NAMESPACE = 'autoscaling';
const ESTATE = 'berth-dev';
const PERMANENT = ['node-1', 'node-2', 'node-3'];
/** The permanent nodes and the server take a pod each of a Deployment that is spread. */
const OWN_NODES = PERMANENT.length + 1;
const SPREAD = 'spread';
const COMING = ['create', 'register', 'ready'];
/** Steps in which something of a worker may be there or gone. */
const GOING = DOWN_STEPS.filter((step) => step !== 'record' && step !== 'cooldown');
/** It acts at once, on what waits alone, and takes away what is not needed however busy this machine is. */
const ACTING = {
  dryRun: false,
  cpuThresholdRatio: 1,
  memoryThresholdRatio: 1,
  cpuScaleDownRatio: 0.99,
  memoryScaleDownRatio: 0.99,
};

describe('the autoscaler on the estate', function () {
  this.timeout(3_600_000);
  this.bail(true);
  let cluster: EstateCluster;
  let autoscaler: AutoscalerEstate;
  let namespace: TestNamespace;

  before(async function () {
    this.timeout(3_600_000);
    cluster = await estateCluster();
    autoscaler = new AutoscalerEstate(cluster);
    await set(ACTING);
    namespace = await TestNamespace.create(cluster, NAMESPACE);
  });

  /** Changes settings of the autoscaler as a user does. */
  async function set(settings: Record<string, unknown>): Promise<void> {
    const { checkout } = await estate();
    await checkout.configure((config: Record<string, Record<string, object>>) => {
      const systems = config['berth:systems'];
      const autoscaling = { ...systems?.autoscaling, ...settings };
      config['berth:systems'] = { ...systems, autoscaling };
    });
    await checkout.npm('up');
    await autoscaler.acts();
  }

  /** Has pods wait that need so many new nodes. */
  const need = (newNodes: number) =>
    cluster.apps.createNamespacedDeployment({
      namespace: NAMESPACE,
      body: spread(SPREAD, OWN_NODES + newNodes),
    });
  const needNothing = (name: string = SPREAD) =>
    cluster.apps.deleteNamespacedDeployment({ namespace: NAMESPACE, name });
  const podsOf = (app: string) => cluster.pods(NAMESPACE, `app=${app}`);
  const allRun = (app: string, count: number) =>
    waitUntil(`${count} pods of ${app} to run`, async () => {
      const pods = (await podsOf(app)).filter(isReady);
      return pods.length === count && pods;
    });
  const process = async (): Promise<number> => {
    const [pod] = await cluster.pods(SYSTEM, `app.kubernetes.io/name=${AUTOSCALER_NAME}`);
    assert.ok(pod);
    return processOf(pod);
  };
  const kill = (pid: number) => globalThis.process.kill(pid, 'SIGKILL');
  /** Why a worker is kept, as the last decision says; undefined where it does not. */
  const whyKept = async (worker: string) => {
    const { kept = [] } = await autoscaler.ask<{ kept?: { node: string; why: string }[] }>(
      '/metrics',
    );
    return kept.find(({ node }) => node === worker)?.why;
  };

  let workers: string[];

  it('brings a real node for each pod that has none, and the pods run there', async () => {
    await need(2);
    workers = await autoscaler.settled(2);
    const pods = await allRun(SPREAD, OWN_NODES + 2);
    assert.deepEqual(
      pods.map(({ spec }) => spec?.nodeName ?? '').sort(),
      [...workers, ...PERMANENT, 'server'].sort(),
    );
    const { checkout } = await estate();
    const { autoscaling, services } = await readyStatus(checkout);
    assert.deepEqual(
      autoscaling?.workers.map(({ name, kind }) => `${name} ${kind}`).sort(),
      [
        ...workers.map((name) => `${name} autoscaled`),
        ...PERMANENT.map((name) => `${name} permanent`),
      ].sort(),
    );
    for (const name of ['autoscaler', 'redis', 'mongodb'])
      assert.ok(services.find((one) => one.name === name)?.ready, name);
  });

  it('drains the last in first and keeps the permanent ones, when the pods are gone', async () => {
    const [first, last] = (await autoscaler.nodes()).map(nameOf);
    assert.ok(first && last);
    await cluster.apps.createNamespacedDeployment({
      namespace: NAMESPACE,
      body: preferring('mover', last, PERMANENT),
    });
    const [before] = await allRun('mover', 1);
    assert.equal(before?.spec?.nodeName, last);
    await needNothing();
    await autoscaler.settled(0);
    const [after] = await allRun('mover', 1);
    assert.ok(PERMANENT.includes(after?.spec?.nodeName ?? ''), after?.spec?.nodeName);
    await needNothing('mover');
    let ready: unknown;
    await waitUntil(
      'the permanent nodes, and no others, to be Ready',
      async () => {
        const { items } = await cluster.core.listNode();
        ready = items.filter(isReadyNode).map(nameOf).sort();
        return isDeepStrictEqual(ready, [...PERMANENT, 'server']);
      },
      { seen: () => ready },
    );

    const events = await storedEvents();
    const told = events
      .filter(({ worker }) => workers.includes(worker))
      .map(({ kind, outcome, worker }) => `${kind} ${outcome} ${worker}`);
    // The most recent first; which of the two was Ready first is not said.
    assert.deepEqual(told.slice(0, 2), [`scale_down done ${first}`, `scale_down done ${last}`]);
    assert.deepEqual(told.slice(2).sort(), workers.map((name) => `scale_up done ${name}`).sort());
  });

  /** The history that the API tells from MongoDB, once it tells what MongoDB itself has: between two looks there may be more. */
  async function storedEvents(): Promise<HistoryEvent[]> {
    let seen: unknown;
    return waitUntil(
      'the API to tell what MongoDB has',
      async () => {
        const { source, events } = await autoscaler.history();
        const stored = await readMongo(cluster);
        const told = events.map(({ id, kind }) => ({ id, kind }));
        seen = { source, told, stored: stored.events };
        return source === 'mongodb' && isDeepStrictEqual(told, stored.events) && events;
      },
      { seen: () => seen },
    );
  }

  it('finishes or undoes what was under way when its process was killed: amid growing', async () => {
    const pid = await process();
    await need(1);
    await autoscaler.amid('up', COMING);
    kill(pid);
    await autoscaler.settled(1);
    await allRun(SPREAD, OWN_NODES + 1);
  });

  it('finishes or undoes what was under way when its process was killed: amid shrinking', async () => {
    const pid = await process();
    await needNothing();
    await autoscaler.amid('down', GOING);
    kill(pid);
    await autoscaler.settled(0);
  });

  it('goes on after the loss of Redis amid growing', async () => {
    await need(1);
    await autoscaler.amid('up', COMING);
    await cluster.core.deleteNamespacedPod({
      name: 'redis-0',
      namespace: SYSTEM,
      gracePeriodSeconds: 0,
    });
    await autoscaler.settled(1);
    await allRun(SPREAD, OWN_NODES + 1);
  });

  it("goes on after the loss of what guards Docker's socket amid shrinking", async () => {
    const pid = await socketProxyProcess(ESTATE);
    await needNothing();
    await autoscaler.amid('down', GOING);
    kill(pid);
    await autoscaler.settled(0);
    await waitUntil('another to guard it', async () => (await socketProxyProcess(ESTATE)) !== pid);
  });

  it('added and removed no node twice', async () => {
    const events = await storedEvents();
    const done = events
      .filter(({ kind, outcome }) => kind !== 'reconciliation' && outcome === 'done')
      .map(({ kind, worker }) => `${kind} ${worker}`);
    assert.equal(new Set(done).size, done.length, done.join('\n'));
  });

  it('keeps a node whose pod a PodDisruptionBudget protects, uncordoned', async () => {
    await need(1);
    const [worker = ''] = await autoscaler.settled(1);
    await cluster.apps.createNamespacedDeployment({
      namespace: NAMESPACE,
      body: preferring('guarded', worker, PERMANENT),
    });
    const [pod] = await allRun('guarded', 1);
    assert.equal(pod?.spec?.nodeName, worker);
    await cluster.policy.createNamespacedPodDisruptionBudget({
      namespace: NAMESPACE,
      body: {
        metadata: { name: 'guard' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } },
      },
    });
    await needNothing();
    await waitUntil('it to be kept for the budget', async () =>
      /PodDisruptionBudget autoscaling\/guard protects/.test((await whyKept(worker)) ?? ''),
    );
    const [node] = await autoscaler.nodes();
    assert.ok(node && node.spec?.unschedulable !== true, 'the node is there, and not cordoned');
    const [still] = await podsOf('guarded');
    assert.equal(still?.metadata?.uid, pod?.metadata?.uid);
  });

  it('evicts a pod without a controller only where the setting says so', async () => {
    const [node] = await autoscaler.nodes();
    assert.ok(node);
    const worker = nameOf(node);
    const labels = { app: 'bare' };
    await namespace.createPod(
      podOf({ name: 'bare', image: PAUSE_IMAGE, nodeName: worker, labels }),
    );
    await cluster.policy.deleteNamespacedPodDisruptionBudget({
      name: 'guard',
      namespace: NAMESPACE,
    });
    await needNothing('guarded');
    await waitUntil('it to be kept for the pod', async () =>
      /bare has no controller, and EVICT_BARE_PODS is false/.test((await whyKept(worker)) ?? ''),
    );
    assert.equal((await autoscaler.nodes()).length, 1);
    await set({ evictBarePods: true });
    await autoscaler.settled(0);
    assert.deepEqual(await podsOf('bare'), []);
  });

  it('leaves a worker that is in use to be taken down with the estate', async () => {
    await need(1);
    await autoscaler.settled(1);
    await allRun(SPREAD, OWN_NODES + 1);
  });
});
