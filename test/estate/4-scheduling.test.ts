import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { V1Pod } from '@kubernetes/client-node';
import { CPU_SCHEDULER_NAME } from '../../components/plan';
import { PAUSE_IMAGE, podOf, STAY, SYSTEM, type EstateCluster } from './support/cluster';
import { processOf } from './support/leader-process';
import { estateCluster } from './support/session';
import { bound, TestNamespace } from './support/test-namespace';
import { waitUntil } from './support/wait-until';

const NAMESPACE = 'scheduling-test';
const ELIGIBLE = { 'posture/eligible': 'true' };
/** Label of nodes that pods of the test are to wait for. */
const LATER = 'scheduling-test/later';
const MEASURED = 'cpu-scheduler.berth.dev/node-cpu-ratio';
const THRESHOLD = 0.9;

/** What /explain says of a pod, as far as it is read here. */
interface Explained {
  readonly uid?: string;
  readonly state?: string;
  readonly nodes?: readonly {
    readonly node: string;
    readonly cpu: { readonly cpuRatio?: number };
  }[];
}
/** Measured CPU by node; undefined where it was not known. */
type Readings = Readonly<Record<string, number | undefined>>;
type Counts = Map<string, number>;

describe('the CPU-aware scheduler on a real estate', function () {
  this.timeout(3_600_000);
  this.bail(true);

  let cluster: EstateCluster;
  /** An image with Node.js that the nodes have already. */
  let image: string;

  let namespace: TestNamespace;

  before(async () => {
    cluster = await estateCluster();
    const [scheduler] = await cluster.pods(SYSTEM, 'app.kubernetes.io/name=cpu-scheduler');
    image = scheduler?.spec?.containers[0]?.image ?? '';
    namespace = await TestNamespace.create(cluster, NAMESPACE);
  });

  after(() => namespace?.remove());

  const create = (body: V1Pod) => namespace.createPod(body);
  const labelled = (role: string) => namespace.pods(role);
  const removePods = (role: string) => namespace.removePods(role);

  /** Keeps one node busy with pods that the scheduler did not place, until its reading shows it. */
  async function burn(nodeName: string): Promise<void> {
    await namespace.burn(nodeName, image);
    await readsBusy(nodeName);
  }

  async function readsBusy(nodeName: string): Promise<void> {
    let seen: number | undefined;
    await waitUntil(
      `${nodeName} to read as busy`,
      async () => {
        seen = (await cluster.cpuRatios()).get(nodeName);
        return seen !== undefined && seen >= THRESHOLD;
      },
      { seen: () => seen },
    );
  }

  /** Waits until all nodes but the burning one read as calm, so that what was before does not count. */
  async function calm(limit: number, but?: string): Promise<void> {
    let seen: Map<string, number> | undefined;
    await waitUntil(
      'the other nodes to read as calm',
      async () => {
        seen = await cluster.cpuRatios();
        return (
          seen.size >= 4 &&
          [...seen].every(([node, ratio]) => node === but || node === 'server' || ratio < limit)
        );
      },
      { seen: () => seen && Object.fromEntries(seen) },
    );
  }

  /** What was measured of each node when a pod was placed, as the leader says; nothing where another has led by then. */
  async function readingsOf({ metadata }: V1Pod): Promise<Readings | undefined> {
    const text = await cluster.scheduler(`/explain/${NAMESPACE}/${metadata?.name}`);
    const { uid, state, nodes = [] } = JSON.parse(text) as Explained;
    if (uid !== metadata?.uid || !state?.startsWith('bound')) return undefined;
    return Object.fromEntries(nodes.map(({ node, cpu }) => [node, cpu.cpuRatio]));
  }

  /** Has the scheduler place so many pods at once. @returns how many each node took, and by which readings each was placed */
  async function placeBurst(count: number): Promise<{ counts: Counts; readings: Readings[] }> {
    await Promise.all(
      Array.from({ length: count }, (_, index) =>
        create(
          podOf({
            name: `burst-${index}`,
            image,
            program: STAY,
            labels: { role: 'burst' },
            schedulerName: CPU_SCHEDULER_NAME,
            nodeSelector: ELIGIBLE,
            cpuRequest: '150m',
          }),
        ),
      ),
    );
    const pods = await namespace.allBound('burst', count);
    const readings = await waitUntil('what each was placed by', async () => {
      const all = await Promise.all(pods.map(readingsOf));
      return all.every((one) => one !== undefined) && all;
    });
    const counts: Counts = new Map();
    for (const { spec } of pods)
      counts.set(spec?.nodeName ?? '', (counts.get(spec?.nodeName ?? '') ?? 0) + 1);
    await removePods('burst');
    return { counts, readings };
  }

  it('gives a busy node none of a burst of pods while others have room, and spreads the burst', async () => {
    const count = 6;
    await calm(0.3, 'node-1');
    await burn('node-1');
    for (let left = 20; ; left -= 1) {
      assert.ok(left > 0, 'the readings never stayed the same for as long as a burst takes');
      await calm(0.3, 'node-1');
      await readsBusy('node-1');
      const { counts, readings } = await placeBurst(count);
      // A reading may have changed amid it, and with it what was right.
      const [first = {}] = readings;
      const isSame = readings.every((one) => isDeepStrictEqual(one, first));
      const isBusy = (first['node-1'] ?? 0) >= THRESHOLD;
      if (!isSame || !isBusy || ['node-2', 'node-3'].some((node) => !((first[node] ?? 1) < 0.3)))
        continue;
      const told = JSON.stringify({ counts: [...counts], first });
      assert.equal(counts.get('node-1'), undefined, told);
      for (const [node, pods] of counts)
        assert.ok(pods <= count / 2 + 1, `${node} took ${pods} of ${count}: ${told}`);
      break;
    }
    await removePods('burner');
  });

  it('respects a PodDisruptionBudget on a hot node, and moves the pod once there is none', async () => {
    const outcomes = () =>
      waitUntil('what became of evictions', async () => {
        // Of all replicas: another may lead by then.
        const metrics = await cluster.schedulers('/metrics');
        const value = (outcome: string) => {
          const line = new RegExp(
            `^cpu_scheduler_evictions_total{outcome="${outcome}"} (\\d+)`,
            'm',
          );
          return metrics.reduce((sum, text) => sum + Number(line.exec(text)?.[1] ?? 0), 0);
        };
        return { refused: value('protected'), evicted: value('evicted') };
      });
    const before = await outcomes();
    await cluster.policy.createNamespacedPodDisruptionBudget({
      namespace: NAMESPACE,
      body: {
        metadata: { name: 'mover' },
        spec: { minAvailable: 1, selector: { matchLabels: { role: 'mover' } } },
      },
    });
    const pod = podOf({
      name: 'mover',
      image,
      program: STAY,
      labels: { role: 'mover' },
      schedulerName: CPU_SCHEDULER_NAME,
      nodeSelector: ELIGIBLE,
      cpuRequest: '50m',
    });
    await cluster.batch.createNamespacedJob({
      namespace: NAMESPACE,
      body: {
        metadata: { name: 'mover' },
        spec: { template: { metadata: { labels: pod.metadata?.labels ?? {} }, spec: pod.spec } },
      },
    });
    const running = async () =>
      (await labelled('mover')).find(
        ({ status, metadata }) => status?.phase === 'Running' && !metadata?.deletionTimestamp,
      );
    const first = await waitUntil('the pod to run', running);
    const hot = first.spec?.nodeName ?? '';
    await burn(hot);
    await waitUntil('an eviction that the budget refuses', async () => {
      const now = await outcomes();
      return now.refused > before.refused;
    });
    assert.equal((await running())?.metadata?.uid, first.metadata?.uid);
    assert.equal((await outcomes()).evicted, before.evicted);

    await cluster.policy.deleteNamespacedPodDisruptionBudget({
      name: 'mover',
      namespace: NAMESPACE,
    });
    const second = await waitUntil('the pod to run elsewhere', async () => {
      const now = await running();
      return now?.metadata?.uid === first.metadata?.uid ? undefined : now;
    });
    assert.notEqual(second.spec?.nodeName, hot);
    assert.ok((await outcomes()).evicted > before.evicted);
    await removePods('burner');
    await cluster.batch.deleteNamespacedJob({
      name: 'mover',
      namespace: NAMESPACE,
      propagationPolicy: 'Foreground',
    });
  });

  it('loses none of 200 pending pods and binds none twice when the leader is killed', async () => {
    const count = 200;
    await calm(0.6);
    const workers = ['node-1', 'node-2', 'node-3'];
    const open = async (nodes: readonly string[], value: 'true' | null = 'true') => {
      for (const node of nodes) await cluster.labelNode(node, { [LATER]: value });
    };
    const names = Array.from({ length: count }, (_, index) => `many-${index}`);
    for (let start = 0; start < count; start += 20)
      await Promise.all(
        names.slice(start, start + 20).map((name) =>
          create(
            podOf({
              name,
              image: PAUSE_IMAGE,
              labels: { role: 'many' },
              schedulerName: CPU_SCHEDULER_NAME,
              nodeSelector: { ...ELIGIBLE, [LATER]: 'true' },
            }),
          ),
        ),
      );
    assert.equal(bound(await labelled('many')).length, 0);
    const leader = await cluster.leader();
    const pid = await processOf(leader);
    // A node takes 110 pods at most: with one of them free, some are still pending whenever the leader dies.
    await open(['node-1']);
    const atKill = await waitUntil('the first binding', async () => {
      const now = bound(await labelled('many'));
      return now.length > 0 && now;
    });
    process.kill(pid, 'SIGKILL');
    assert.ok(atKill.length < count, `all ${count} were bound before the leader could be killed`);
    await open(workers);
    const nodeOf = new Map(atKill.map(({ metadata, spec }) => [metadata?.uid, spec?.nodeName]));

    await waitUntil('all to be bound', async () => bound(await labelled('many')).length === count);
    const after = await labelled('many');
    assert.deepEqual(after.map(({ metadata }) => metadata?.name).sort(), [...names].sort());
    for (const { metadata, spec } of after)
      assert.equal(nodeOf.get(metadata?.uid) ?? spec?.nodeName, spec?.nodeName, metadata?.name);
    const events = await cluster.events.listNamespacedEvent({ namespace: NAMESPACE });
    const scheduled = events.items
      .filter(
        ({ reason, regarding }) => reason === 'Scheduled' && regarding?.name?.startsWith('many-'),
      )
      .map(({ regarding, note }) => `${regarding?.uid} ${note}`);
    // An event may be written again when its answer was lost; two nodes for one pod may not be.
    const placements = new Set(scheduled);
    assert.equal(
      new Set([...placements].map((one) => one.split(' ')[0])).size,
      placements.size,
      'a pod was reported as scheduled twice',
    );
    await removePods('many');
    await open(workers, null);
  });

  it('falls back to requested CPU while Prometheus is stopped, says so, and comes back', async () => {
    const readiness = async () => {
      const body = await cluster.scheduler('/readyz');
      return { degraded: /"degraded":\s*true/.test(body), body };
    };
    const place = async (name: string) => {
      await create(
        podOf({
          name,
          image,
          program: STAY,
          labels: { role: 'fallback' },
          schedulerName: CPU_SCHEDULER_NAME,
          nodeSelector: ELIGIBLE,
        }),
      );
      return waitUntil(`${name} to be bound`, async () =>
        bound(await labelled('fallback')).find((pod) => pod.metadata?.name === name),
      );
    };
    await waitUntil('readings', async () => !(await readiness()).degraded);
    await cluster.scalePrometheus(0);
    await waitUntil('the fallback', async () => (await readiness()).degraded);
    const blind = await place('blind');
    assert.equal(blind.metadata?.annotations?.[MEASURED], 'unknown');
    // Readiness is asked of the readings as they are, the metric is what the last look at them set.
    await waitUntil('the metric that says so', async () =>
      /^cpu_scheduler_fallback_active 1/m.test(await cluster.scheduler('/metrics')),
    );
    await waitUntil('an event that says so', async () => {
      const { items } = await cluster.events.listEventForAllNamespaces();
      return items.some(
        ({ reason, note }) => /requested CPU/.test(note ?? '') || /Fallback/.test(reason ?? ''),
      );
    });
    await cluster.scalePrometheus(1);
    await waitUntil('readings again', async () => !(await readiness()).degraded);
    const seeing = await place('seeing');
    assert.match(seeing.metadata?.annotations?.[MEASURED] ?? '', /^\d\.\d+$/);
  });
});
