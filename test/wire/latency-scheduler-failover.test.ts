import assert from 'node:assert/strict';
import { pino } from 'pino';
import { systemClock } from '../../runtime/shared/clock';
import { Informer } from '../../runtime/shared/kubernetes/informer';
import type { Lease, Pod } from '../../runtime/shared/kubernetes/types';
import { eventually } from './support/kube';
import { LatencySystem, LIMIT_MS, NAMESPACE } from './support/latency-system';
import type { Processes } from './support/processes';

const NAME = 'latency-aware-scheduler';
const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${NAME}/leases/${NAME}`;

describe('two replicas of the latency-aware scheduler', function () {
  this.timeout(1_800_000);
  let system: LatencySystem;
  let leader: Processes;
  const end = new AbortController();
  let watching: Promise<void> | undefined;
  /** Every node that a pod was ever seen on, by its name. */
  const nodesOf = new Map<string, Set<string>>();

  /** Who holds the Lease, other than `before`. */
  const holder = (before?: string): Promise<string> =>
    eventually(
      'another replica leads',
      async () => {
        const { spec } = await system.api.request<Lease>({ method: 'GET', path: LEASE });
        const name = spec?.holderIdentity ?? '';
        return name !== '' && name !== before && name;
      },
      LIMIT_MS,
    );
  const create = async (from: number, to: number): Promise<string[]> => {
    const names = Array.from({ length: to - from }, (_, index) => `pod-${from + index}`);
    await Promise.all(names.map((name) => system.create(name, NAME)));
    return names;
  };

  before(async () => {
    system = await LatencySystem.start(NAME);
    await system.ready();
    const informer = new Informer<Pod, Pod>(
      system.api,
      { path: `/api/v1/namespaces/${NAMESPACE}/pods`, project: (pod) => pod },
      {
        set: ({ metadata, spec }) => {
          if (spec.nodeName === undefined) return;
          const nodes = nodesOf.get(metadata.name) ?? new Set<string>();
          nodesOf.set(metadata.name, nodes.add(spec.nodeName));
        },
        remove: () => undefined,
      },
      systemClock,
      pino({ level: 'silent' }),
    );
    watching = informer.run(end.signal);
    leader = await system.startScheduler(NAME, { proxied: true });
    await holder();
    await system.startScheduler(NAME, { proxied: true });
  });
  after(async () => {
    end.abort();
    await watching;
    await system?.stop();
  });

  it('place every pod once though the leader is killed while it places one', async () => {
    const names = await create(0, 10);
    for (const name of names) await system.bound(name);
    const first = await holder();
    system.proxy.held.add('filter');
    names.push(...(await create(10, 20)));
    await eventually(
      'the leader is at one of them',
      async () => system.proxy.asked.some(({ pod }) => names.indexOf(pod) >= 10),
      LIMIT_MS,
    );
    leader.kill(NAME);
    system.proxy.held.clear();
    names.push(...(await create(20, 30)));
    assert.notEqual(await holder(first), first);
    const nodes = new Map<string, string>();
    for (const name of names) nodes.set(name, await system.bound(name));
    await eventually('all are seen', async () => nodesOf.size === names.length, LIMIT_MS);
    for (const [name, node] of nodes) assert.deepEqual([...(nodesOf.get(name) ?? [])], [node]);
  });
});
