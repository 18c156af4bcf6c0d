import assert from 'node:assert/strict';
import { NAMESPACES } from '../../components/plan';
import { isReady, uidOf, type EstateCluster } from './support/cluster';
import {
  coresOf,
  explanationOf,
  NODES,
  reasonIn,
  takesPods,
  waitForState,
  type Explanation,
} from './support/latency-extender';
import { place } from './support/latency-pods';
import { assertCountsPlaced, assertPlacedByFormula } from './support/placement-formula';
import { ProberNodes } from './support/prober-nodes';
import { estateCluster } from './support/session';
import { TestNamespace } from './support/test-namespace';
import { waitUntil } from './support/wait-until';
import { webRequests } from './support/web-requests';

/** Where the dev estate lets requests come in. */
const BUSIEST = 'node-1';
/** What the dev estate adds to round trips to that node; a timer may be early by a part of a millisecond. */
const LEAST_MS = new Map([
  ['node-1', 0],
  ['node-2', 3],
  ['node-3', 59],
  ['server', 19],
]);
const HELLOPODS = 'app.kubernetes.io/name=hellopod';

describe('latency-aware scheduling on a real estate', function () {
  this.timeout(3_600_000);
  this.bail(true);

  let cluster: EstateCluster;
  let namespace: TestNamespace;

  before(async () => {
    cluster = await estateCluster();
    namespace = await TestNamespace.create(cluster, 'latency-test');
  });
  after(() => namespace?.remove());

  let attempts = 0;
  /** Places pods until one met a node that is kept out for a reason; each is placed as the formula says. */
  async function assertKeptOff(off: string, why: RegExp): Promise<void> {
    for (let left = 20; left > 0; left -= 1) {
      await waitForState(cluster, `${off} out`, (state) => why.test(reasonIn(state, off)));
      attempts += 1;
      const { node, told } = await place(cluster, namespace, `placed-${attempts}`);
      assertPlacedByFormula(told, node);
      await namespace.removePods('placed');
      const reason = told.filter?.nodes.find((one) => one.node === off)?.why ?? '';
      // A reading may have changed in between, and with it what was right.
      if (node !== undefined && why.test(reason)) return assert.notEqual(node, off);
    }
    assert.fail(`no pod met ${off} while it was out for ${why}`);
  }

  it('lands nine hellopods as the formula says, by the node that requests come in at', async () => {
    let requests: unknown;
    await waitUntil(
      `most requests to come in at ${BUSIEST}`,
      async () => {
        const byNode = await webRequests(cluster);
        requests = [...byNode];
        const [most] = [...byNode].sort(([, a], [, b]) => b - a);
        return most !== undefined && most[0] === BUSIEST && most[1] > 0;
      },
      { seen: () => requests },
    );
    await waitForState(
      cluster,
      `${BUSIEST} as the busiest node`,
      ({ busiest, target, freshNodes }) =>
        busiest?.node === BUSIEST && target.node === BUSIEST && freshNodes === NODES.length,
    );
    const hello = { namespace: NAMESPACES.hello };
    const former = (await cluster.pods(hello.namespace, HELLOPODS)).map(uidOf);
    await cluster.core.deleteCollectionNamespacedPod({
      ...hello,
      labelSelector: HELLOPODS,
      gracePeriodSeconds: 0,
    });
    let seen: unknown;
    const placed = await waitUntil(
      'nine other hellopods to be ready, and the extender to know where they are',
      async () => {
        const pods = (await cluster.pods(hello.namespace, HELLOPODS)).filter(
          (pod) => !former.includes(uidOf(pod)) && !pod.metadata?.deletionTimestamp,
        );
        seen = pods.map(({ metadata, spec }) => [metadata?.name, spec?.nodeName]);
        if (pods.length !== 9 || !pods.every(isReady)) return false;
        const explained: { node: string; told: Explanation }[] = [];
        for (const pod of pods) {
          const told = await explanationOf(cluster, pod);
          const node = pod.spec?.nodeName ?? '';
          if (told?.boundTo === node) explained.push({ node, told });
        }
        return explained.length === pods.length && explained;
      },
      { seen: () => seen },
    );
    for (const { node, told } of placed) {
      assertPlacedByFormula(told, node);
      if (told.target.node !== BUSIEST) continue;
      for (const { node: from, latencyMs } of told.filter?.nodes ?? []) {
        if (from === BUSIEST) assert.equal(latencyMs ?? 0, 0);
        const leastMs = LEAST_MS.get(from) ?? 0;
        assert.ok((latencyMs ?? leastMs) >= leastMs, `${from}: ${latencyMs} ms`);
      }
    }
    assertCountsPlaced(
      placed.map(({ told }) => told),
      await waitUntil('the probers to tell their processors', () => coresOf(cluster)),
    );
  });

  it('keeps new pods off a node over 85 % of its CPU, and says so', async () => {
    const hot = 'node-2';
    const [prober] = await cluster.pods(NAMESPACES.probers);
    try {
      // Every node has the prober's image, which holds Node.js.
      await namespace.burn(hot, prober?.spec?.containers[0]?.image ?? '');
      await assertKeptOff(hot, /^CPU [01]\.\d+ is over 0\.85/);
    } finally {
      await namespace.removePods('burner');
    }
  });

  it('keeps new pods off a node without a prober, and lets them in again when it is back', async () => {
    const probers = await ProberNodes.of(cluster);
    const off = 'node-2';
    try {
      await probers.leave([off]);
      await assertKeptOff(off, /^no fresh probe: /);
    } finally {
      await probers.return();
    }
    await waitForState(cluster, `${off} in again`, (state) => takesPods(state, off));
  });
});
