import assert from 'node:assert/strict';
import type { Lease } from '../../runtime/shared/kubernetes/types';
import { eventually, listEvents } from './support/kube';
import { LatencySystem, LIMIT_MS, NAMESPACE } from './support/latency-system';
import type { Processes } from './support/processes';

const NAME = 'latency-aware-scheduler';
const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${NAME}/leases/${NAME}`;

describe('two replicas of the latency-aware scheduler', function () {
  this.timeout(900_000);
  let system: LatencySystem;
  let leader: Processes;
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

  before(async () => {
    system = await LatencySystem.start(NAME);
    await system.ready();
    leader = await system.startScheduler(NAME);
    await holder();
    await system.startScheduler(NAME);
  });
  after(() => system?.stop());

  it('place every pod once though the leader is killed amid them', async () => {
    const first = await holder();
    const names = Array.from({ length: 30 }, (_, index) => `pod-${index}`);
    await Promise.all(names.slice(0, 15).map((name) => system.create(name, NAME)));
    leader.kill(NAME);
    await Promise.all(names.slice(15).map((name) => system.create(name, NAME)));
    assert.notEqual(await holder(first), first);
    for (const name of names) await system.bound(name);
    const scheduled = new Map<string, number>();
    for (const { reason, regarding } of await listEvents(system.api, NAMESPACE))
      if (reason === 'Scheduled')
        scheduled.set(regarding.name, (scheduled.get(regarding.name) ?? 0) + 1);
    // The killed one may have taken some of its events along; none is told of twice.
    for (const [name, count] of scheduled)
      assert.equal(count, 1, `${name} was bound ${count} times`);
  });
});
