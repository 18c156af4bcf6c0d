import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { parseEstateConfig } from '../../components/config';
import { ownNamespaces, type Pods } from '../../components/network/endpoints';
import { estateFlows } from '../../components/network/flows';
import { networkPolicies } from '../../components/network/policies';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { apiOf, createNamespace, eventually, getPod } from './support/kube';
import { startLabCluster, type LabCluster } from './support/lab-cluster';

const config = parseEstateConfig({
  values: {
    nodes: [{ name: 'node-1', slot: 1 }],
    systems: {
      eventScaling: { enabled: true },
      latencyScheduling: { enabled: true, traffic: { node: 'node-1' } },
      autoscaling: { enabled: true, permanentWorkers: ['node-1'] },
      experiment: { enabled: true },
    },
  },
  keys: [],
  secrets: new Set(['clusterToken']),
});
const { endpoints, flows } = estateFlows(config);
const closed = new Set(ownNamespaces(config));

/** Somebody of a namespace that is not Berth's, and somebody in one of Berth's whom the table does not know. */
const FOREIGN: Pods = { kind: 'pods', namespace: 'foreign', labels: { app: 'foreign' } };
const INTRUDER: Pods = { kind: 'pods', namespace: 'posture', labels: { app: 'intruder' } };
/** A stand-in for each kind of pod, of its labels in its namespace. */
const standIns = new Map<string, Pods>([
  ...Object.entries(endpoints).filter((entry): entry is [string, Pods] => entry[1].kind === 'pods'),
  ['foreign', FOREIGN],
  ['intruder', INTRUDER],
]);
/** In no flow. */
const UNUSED_PORT = 6666;
const PORTS = [
  ...new Set([...flows.flatMap(({ ports }) => ports.map(({ port }) => port)), UNUSED_PORT]),
];
/** What others try of a stand-in: all that anybody calls it at, and one port more. */
const portsOf = (name: string) => [
  ...new Set([
    ...flows.flatMap(({ to, ports }) => (to === name ? ports.map(({ port }) => port) : [])),
    UNUSED_PORT,
  ]),
];

const namespaceOf = (name: string) => standIns.get(name)?.namespace ?? assert.fail(name);
const inTable = (from: string, to: string, port: number) =>
  flows.some(
    (flow) =>
      flow.from === from &&
      flow.to === to &&
      flow.ports.some((one) => one.port === port && one.protocol === 'TCP'),
  );
/** What the table says of a call: each end must let it pass, where its namespace is closed. */
const passes = (from: string, to: string, port: number) =>
  (!closed.has(namespaceOf(from)) || inTable(from, to, port)) &&
  (!closed.has(namespaceOf(to)) || inTable(from, to, port) || inTable('anyone', to, port));

/** Calls of pods by way of `kubectl exec`. */
const atOnce = pLimit(4);
/** How long it may take until a policy holds. */
const LIMIT_MS = 60_000;

const LISTEN = `for (const port of ${JSON.stringify(PORTS)}) require('net').createServer((s) => s.end()).listen(port)`;
/** Calls each ADDRESS:PORT of its input, and prints those that answered. */
const CALL = `
const answers = (target) => new Promise((resolve) => {
  const [host, port] = target.split(':');
  const socket = require('net').connect({ host, port, timeout: 1500 });
  const end = (reached) => { socket.destroy(); resolve(reached ? [target] : []); };
  socket.on('connect', () => end(true)).on('error', () => end(false)).on('timeout', () => end(false));
});
const targets = JSON.parse(process.argv[1]);
Promise.all(targets.map(answers)).then((all) => console.log(JSON.stringify(all.flat())));`;

describe('network policies where they are enforced, as k3s does', function () {
  this.timeout(600_000);
  let cluster: LabCluster;
  let api: KubeApi;
  const addresses = new Map<string, string>();

  before(async function () {
    this.timeout(3_600_000);
    cluster = await startLabCluster(['pause', 'library/node'], undefined, {
      enforcesNetworkPolicies: true,
    });
    api = await apiOf(cluster.kubeconfig);
    for (const namespace of new Set([...standIns.keys()].map(namespaceOf)))
      if (namespace !== 'kube-system') await createNamespace(api, namespace);
    for (const name of standIns.keys()) await createStandIn(name);
    for (const name of standIns.keys())
      await eventually(`${name} has an address`, async () => {
        const pod = await getPod(api, namespaceOf(name), `stand-in-${name}`);
        const { phase, podIP } = pod.status as { phase?: string; podIP?: string };
        if (phase !== 'Running' || podIP === undefined) return false;
        addresses.set(name, podIP);
        return true;
      });
  });
  after(async () => {
    await api?.close();
    await cluster?.stop();
  });

  async function applyPolicies(): Promise<void> {
    for (const [namespace, { allow, denyAll }] of networkPolicies(config))
      for (const { name, spec } of [...allow, denyAll])
        await api.request({
          method: 'POST',
          path: `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
          body: {
            apiVersion: 'networking.k8s.io/v1',
            kind: 'NetworkPolicy',
            metadata: { name, namespace },
            spec,
          },
        });
  }

  async function createStandIn(name: string): Promise<void> {
    const namespace = namespaceOf(name);
    await api.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/pods`,
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `stand-in-${name}`, labels: standIns.get(name)?.labels },
        spec: {
          terminationGracePeriodSeconds: 0,
          automountServiceAccountToken: false,
          containers: [
            { name: 'main', image: 'node:22-bookworm-slim', command: ['node', '-e', LISTEN] },
          ],
        },
      },
    });
  }

  const onNode = (...command: string[]) => cluster.engine.docker('exec', 'wire-server', ...command);
  /** Which of some targets a stand-in reaches. */
  const reached = async (from: string, targets: readonly string[]) => {
    const pod = ['-n', namespaceOf(from), `stand-in-${from}`];
    const call = ['node', '-e', CALL, JSON.stringify(targets)];
    return JSON.parse(await onNode('kubectl', 'exec', ...pod, '--', ...call)) as string[];
  };

  /** Asks again until it is so: a change is enforced a moment later, and a busy machine may be slow to answer. */
  async function assertReached(from: string, expected: readonly string[], all: readonly string[]) {
    const wanted = [...expected].sort();
    let seen: string[] = [];
    await eventually(
      from,
      async () => {
        seen = (await reached(from, all)).sort();
        return isDeepStrictEqual(seen, wanted);
      },
      LIMIT_MS,
    ).catch(() => undefined);
    assert.deepEqual(seen.map(named), wanted.map(named), `what ${from} reaches`);
  }
  const named = (target: string) => {
    const [host, port] = target.split(':');
    const [name] = [...addresses].find(([, address]) => address === host) ?? [host];
    return `${name}:${port}`;
  };
  /** All that a stand-in may try of the others, and what of it the table has. */
  const triesOf = (from: string) =>
    [...addresses]
      .filter(([to]) => to !== from)
      .flatMap(([to, address]) => portsOf(to).map((port) => ({ to, port, address })))
      .map(({ to, port, address }) => ({
        target: `${address}:${port}`,
        expected: passes(from, to, port),
      }));

  it('let pass between any two kinds of pods what the table has, and nothing else', async () => {
    const everything = triesOf('foreign').map(({ target }) => target);
    await assertReached('foreign', everything, everything);
    await applyPolicies();
    await atOnce.map([...standIns.keys()], async (from) => {
      const tries = triesOf(from);
      const expected = tries.filter((one) => one.expected);
      const targets = (list: typeof tries) => list.map(({ target }) => target);
      await assertReached(from, targets(expected), targets(tries));
    });
  });

  it('let those reach the API server who ask it, by its Service, and nobody else of Berth’s', async () => {
    const text = await onNode('kubectl', 'get', 'service', 'kubernetes', '-o', 'json');
    const { spec } = JSON.parse(text) as { spec: { clusterIP: string } };
    const target = `${spec.clusterIP}:443`;
    await atOnce.map([...standIns.keys()], async (from) => {
      const may = !closed.has(namespaceOf(from)) || inTable(from, 'api-server', 6443);
      await assertReached(from, may ? [target] : [], [target]);
    });
  });

  it('let the node call its own pods, as its kubelet does', async () => {
    const targets = [...addresses.values()].map((address) => `${address}:${UNUSED_PORT}`);
    const seen = JSON.parse(await onNode('node', '-e', CALL, JSON.stringify(targets))) as string[];
    assert.deepEqual(seen.sort(), targets.sort());
  });
});
