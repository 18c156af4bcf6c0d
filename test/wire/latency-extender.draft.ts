import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { buildServiceContext } from '../../components/build-context';
import { latencySchedulerRbac } from '../../components/services/latency-scheduler-config';
import { latencyExtenderRbac } from '../../runtime/latency-extender/rbac';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { startExtenderScheduler } from './support/extender-scheduler';
import { FakeProber } from './support/fake-prober';
import {
  apiOf,
  createNamespace,
  createNode,
  createPod,
  eventually,
  getPod,
  listEvents,
} from './support/kube';
import { freePorts, type Processes } from './support/processes';
import { kubeconfigOf } from './support/service-account';
import { ServiceProcess, temporaryFolder } from './support/service-process';

const LIMIT_MS = 180_000;
const BUSY = 'node-0';
const NODES = ['node-0', 'node-1', 'node-2', 'node-3'] as const;

interface Shown {
  readonly node: string;
  readonly score: number | null;
  readonly extenderScore?: number;
  readonly why?: string;
}
interface Explanation {
  readonly boundTo: string | null;
  readonly filter: { readonly asked: number; readonly nodes: readonly Shown[] };
  readonly prioritize?: { readonly best: string; readonly nodes: readonly Shown[] };
}

describe('latency-extender with a real kube-scheduler', function () {
  this.timeout(900_000);
  let plane: ControlPlane;
  let api: KubeApi;
  let folder: string;
  let prometheus: Server;
  let extender: ServiceProcess;
  let url: string;
  const probers = new Map<string, FakeProber>();
  const schedulers: Processes[] = [];

  const prober = (node: string): FakeProber => {
    const found = probers.get(node);
    assert.ok(found);
    return found;
  };
  const get = async <T>(route: string): Promise<T> => (await fetch(`${url}${route}`)).json() as T;
  const explained = (namespace: string, name: string): Promise<Explanation> =>
    get(`/explain/${namespace}/${name}`);
  /** Waits until the extender judges a node so: by a rule, or in (undefined). */
  const judged = (node: string, rule: string | undefined): Promise<unknown> =>
    eventually(
      `${node} is ${rule ?? 'in'}`,
      async () => {
        const { nodes } = await get<{ nodes: { node: string; rule?: string }[] }>('/state');
        const view = nodes.find((one) => one.node === node);
        return view !== undefined && view.rule === rule;
      },
      LIMIT_MS,
    );
  const create = (namespace: string, name: string, schedulerName: string): Promise<unknown> =>
    createPod(api, namespace, name, { cpu: '100m', spec: { schedulerName } });
  const bound = (namespace: string, name: string): Promise<string> =>
    eventually(
      `${namespace}/${name} is bound`,
      async () => (await getPod(api, namespace, name)).spec.nodeName,
      LIMIT_MS,
    );

  before(async () => {
    [plane, folder] = await Promise.all([
      startControlPlane({ scheduler: true }),
      temporaryFolder('latency-extender'),
    ]);
    api = await apiOf(plane.kubeconfig);
    for (const [index, node] of NODES.entries()) {
      await createNode(api, { name: node, ip: `10.0.0.${index + 1}` });
      probers.set(node, await FakeProber.start(node));
      // 0 for the busiest itself, then 10 ms more for each.
      prober(node).latenciesMs = Object.fromEntries(
        NODES.filter((other) => other !== node).map((other) => [
          other,
          10 * Math.abs(index - NODES.indexOf(other)),
        ]),
      );
    }
    prober(BUSY).cpuRatio = 0.8;
    prometheus = createServer((_request, response) => {
      const result = [{ metric: { node: BUSY }, value: [Date.now() / 1000, '25'] }];
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
    await new Promise<void>((resolve) => prometheus.listen(0, '127.0.0.1', resolve));
    const kubeconfig = await kubeconfigOf(
      plane,
      api,
      'berth-system',
      'extender',
      latencyExtenderRbac,
    );
    const [port] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    extender = new ServiceProcess(
      buildServiceContext('latency-extender', path.join(folder, 'app')),
      {
        KUBECONFIG: kubeconfig,
        SCHEDULER_NAME: 'by-names',
        PROM_URL: `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`,
        PROBERS: [...probers].map(([node, { address }]) => `${node}=${address}`).join(),
        HTTP_HOST: '127.0.0.1',
        PORT: String(port),
        REFRESH_INTERVAL_MS: '500',
        PROBE_TIMEOUT_MS: '2000',
        PROBE_MAX_AGE_MS: '8000',
      },
    );
    for (const [schedulerName, nodeCacheCapable] of [
      ['by-names', true],
      ['by-nodes', false],
    ] as const) {
      const own = path.join(folder, schedulerName);
      await mkdir(own);
      schedulers.push(
        await startExtenderScheduler(own, {
          schedulerName,
          extenderUrl: url,
          nodeCacheCapable,
          httpTimeoutSeconds: 10,
          ignorable: false,
          leaseNamespace: schedulerName,
          // An account that may do exactly what the table says.
          kubeconfigPath: await kubeconfigOf(
            plane,
            api,
            schedulerName,
            schedulerName,
            latencySchedulerRbac(schedulerName),
          ),
        }),
      );
    }
    await eventually(
      'the extender is ready and every node has a fresh probe',
      async () => {
        const response = await fetch(`${url}/readyz`);
        const { freshNodes, target } = (await response.json()) as {
          freshNodes: number;
          target: string | null;
        };
        return response.status === 200 && freshNodes === NODES.length && target === BUSY;
      },
      LIMIT_MS,
    );
    await createNamespace(api, 'test');
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${extender.log()}\n`);
  });
  after(async () => {
    for (const scheduler of schedulers) await scheduler.stop();
    extender?.kill('SIGTERM');
    await extender?.ended;
    for (const one of probers.values()) await one.stop();
    prometheus?.closeAllConnections();
    prometheus?.close();
    await api?.close();
    await plane?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const schedulerName of ['by-names', 'by-nodes'])
    it(`places each pod on the node that the formula ranks first (${schedulerName})`, async () => {
      for (let index = 0; index < 5; index += 1) {
        const name = `${schedulerName}-${index}`;
        await create('test', name, schedulerName);
        const node = await bound('test', name);
        const { filter, prioritize } = await explained('test', name);
        assert.equal(filter.asked, NODES.length);
        assert.equal(prioritize?.best, node);
        const best = Math.max(...(prioritize?.nodes ?? []).map(({ score }) => score ?? 0));
        assert.equal(prioritize?.nodes.find((one) => one.node === node)?.score, best);
      }
    });

  it('sees where its pods were bound', async () => {
    const seen = await eventually(
      'the extender has seen it',
      async () => {
        const { boundTo } = await explained('test', 'by-names-0');
        return boundTo ?? undefined;
      },
      LIMIT_MS,
    );
    assert.equal(seen, await bound('test', 'by-names-0'));
  });

  it('takes exactly the penalty for CPU between 0.70 and 0.85, and keeps off a node above', async () => {
    prober('node-1').cpuRatio = 0.95;
    await judged('node-1', 'cpu-over-limit');
    await create('test', 'hot', 'by-names');
    assert.notEqual(await bound('test', 'hot'), 'node-1');
    const { filter } = await explained('test', 'hot');
    const rejected = filter.nodes.find(({ node }) => node === 'node-1');
    assert.match(rejected?.why ?? '', /^CPU [01]\.\d+ is over 0\.85/);
    const { nodes } = await get<{ nodes: { node: string; penalty: number }[] }>('/state');
    assert.equal(nodes.find(({ node }) => node === BUSY)?.penalty, 0.15);
    prober('node-1').cpuRatio = 0.2;
    await judged('node-1', undefined);
  });

  it('puts the reasons into the FailedScheduling event when no node is left', async () => {
    for (const node of NODES) prober(node).cpuRatio = 0.97;
    for (const node of NODES) await judged(node, 'cpu-over-limit');
    await create('test', 'nowhere', 'by-names');
    const event = await eventually(
      'the event',
      async () =>
        (await listEvents(api, 'test')).find(
          ({ reason, regarding }) => reason === 'FailedScheduling' && regarding.name === 'nowhere',
        ),
      LIMIT_MS,
    );
    assert.match(event.note, /0\/4 nodes are available/);
    assert.match(event.note, /CPU [01]\.\d+ is over 0\.85/);
    for (const node of NODES) prober(node).cpuRatio = 0.2;
    for (const node of NODES) await judged(node, undefined);
  });

  it('keeps a node out while its prober is silent, and takes it back', async () => {
    prober('node-1').silent = true;
    await judged('node-1', 'no-fresh-probe');
    await create('test', 'without', 'by-names');
    assert.notEqual(await bound('test', 'without'), 'node-1');
    prober('node-1').silent = false;
    await judged('node-1', undefined);
  });

  it('places pods without readings when all probers are silent, and says so in an event', async () => {
    for (const node of NODES) prober(node).silent = true;
    for (const node of NODES) await judged(node, 'no-fresh-probe');
    await create('test', 'blind', 'by-names');
    await bound('test', 'blind');
    const event = await eventually(
      'the event',
      async () =>
        (await listEvents(api, 'test')).find(
          ({ reason, regarding }) =>
            reason === 'LatencyReadingsUnknown' && regarding.name === 'blind',
        ),
      LIMIT_MS,
    );
    assert.equal(event.type, 'Warning');
    for (const node of NODES) prober(node).silent = false;
    for (const node of NODES) await judged(node, undefined);
  });

  it('leaves pods of the default scheduler alone when it is gone', async () => {
    extender.kill('SIGTERM');
    assert.equal(await extender.ended, 0);
    await create('test', 'other', 'default-scheduler');
    await bound('test', 'other');
    await create('test', 'waits', 'by-names');
    await eventually(
      'the event',
      async () =>
        (await listEvents(api, 'test')).find(
          ({ reason, regarding }) => reason === 'FailedScheduling' && regarding.name === 'waits',
        ),
      LIMIT_MS,
    );
    assert.equal((await getPod(api, 'test', 'waits')).spec.nodeName, undefined);
  });
});
