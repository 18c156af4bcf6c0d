import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { buildServiceContext } from '../../../components/build-context';
import { latencySchedulerRbac } from '../../../components/services/latency-scheduler-config';
import { latencyExtenderRbac } from '../../../runtime/latency-extender/rbac';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import { startControlPlane, type ControlPlane } from './control-plane';
import { startExtenderScheduler } from './extender-scheduler';
import { FakeProber } from './fake-prober';
import { apiOf, createNamespace, createNode, createPod, eventually, getPod } from './kube';
import { freePorts, type Processes } from './processes';
import { kubeconfigOf } from './service-account';
import { ServiceProcess, temporaryFolder } from './service-process';

/** For the slowest machine. */
export const LIMIT_MS = 180_000;
export const NODES = ['node-0', 'node-1', 'node-2', 'node-3'] as const;
/** The node with the traffic. */
export const BUSY = 'node-0';
/** Where tests make their pods. */
export const NAMESPACE = 'test';

/** What `/explain` says of a node. */
export interface ExplainedNode {
  readonly node: string;
  readonly score: number | null;
  readonly extenderScore?: number;
  readonly why?: string;
}
/** What `/explain` says of a pod. */
export interface Explanation {
  readonly boundTo: string | null;
  readonly filter: { readonly asked: number; readonly nodes: readonly ExplainedNode[] };
  readonly prioritize?: { readonly best: string; readonly nodes: readonly ExplainedNode[] };
}

/**
 * A real API server, the latency extender as a process over probers that say what the test wants, and as many real
 * kube-schedulers as are started; each under an account with exactly the rights of its table.
 */
export class LatencySystem {
  readonly probers = new Map<string, FakeProber>();
  readonly #schedulers: Processes[] = [];
  readonly #accounts = new Map<string, string>();

  private constructor(
    readonly plane: ControlPlane,
    readonly api: KubeApi,
    readonly extender: ServiceProcess,
    readonly url: string,
    private readonly prometheus: Server,
    private readonly folder: string,
  ) {}

  /** @param followed the scheduler whose pods the extender follows. */
  static async start(followed: string): Promise<LatencySystem> {
    const [plane, folder] = await Promise.all([
      startControlPlane({ scheduler: true }),
      temporaryFolder('latency-system'),
    ]);
    const api = await apiOf(plane.kubeconfig);
    const probers = new Map<string, FakeProber>();
    for (const [index, node] of NODES.entries()) {
      await createNode(api, { name: node, ip: `10.0.0.${index + 1}` });
      const fake = await FakeProber.start(node);
      fake.latenciesMs = Object.fromEntries(
        [...NODES.entries()]
          .filter(([other]) => other !== index)
          .map(([other, name]) => [name, 10 * Math.abs(index - other)]),
      );
      probers.set(node, fake);
    }
    const prometheus = createServer((_request, response) => {
      const result = [{ metric: { node: BUSY }, value: [Date.now() / 1000, '25'] }];
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
    await new Promise<void>((resolve) => prometheus.listen(0, '127.0.0.1', resolve));
    const [port] = await freePorts(1);
    const extender = new ServiceProcess(
      buildServiceContext('latency-extender', path.join(folder, 'app')),
      {
        KUBECONFIG: await kubeconfigOf(plane, api, 'berth-system', 'extender', latencyExtenderRbac),
        SCHEDULER_NAME: followed,
        PROM_URL: `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`,
        PROBERS: [...probers].map(([node, { address }]) => `${node}=${address}`).join(),
        HTTP_HOST: '127.0.0.1',
        PORT: String(port),
        REFRESH_INTERVAL_MS: '500',
        PROBE_MAX_AGE_MS: '8000',
      },
    );
    const url = `http://127.0.0.1:${port}`;
    const system = new LatencySystem(plane, api, extender, url, prometheus, folder);
    for (const [node, fake] of probers) system.probers.set(node, fake);
    await createNamespace(api, NAMESPACE);
    return system;
  }

  /** Waits until the extender knows all nodes and the busiest of them. */
  async ready(): Promise<void> {
    await eventually(
      'the extender is ready and every node has a fresh probe',
      async () => {
        const response = await fetch(`${this.url}/readyz`);
        const { freshNodes, target } = (await response.json()) as {
          freshNodes: number;
          target: string | null;
        };
        return response.status === 200 && freshNodes === NODES.length && target === BUSY;
      },
      LIMIT_MS,
    );
  }

  /** One more kube-scheduler; several of one name share a Lease. */
  async startScheduler(schedulerName: string, nodeCacheCapable = true): Promise<Processes> {
    const own = path.join(this.folder, `${schedulerName}-${this.#schedulers.length}`);
    await mkdir(own);
    const { plane, api } = this;
    const account =
      this.#accounts.get(schedulerName) ??
      (await kubeconfigOf(
        plane,
        api,
        schedulerName,
        schedulerName,
        latencySchedulerRbac(schedulerName),
      ));
    this.#accounts.set(schedulerName, account);
    const scheduler = await startExtenderScheduler(own, {
      schedulerName,
      extenderUrl: this.url,
      nodeCacheCapable,
      httpTimeoutSeconds: 10,
      ignorable: false,
      leaseNamespace: schedulerName,
      kubeconfigPath: account,
    });
    this.#schedulers.push(scheduler);
    return scheduler;
  }

  prober(node: string): FakeProber {
    const found = this.probers.get(node);
    assert.ok(found);
    return found;
  }

  async get<T>(route: string): Promise<T> {
    return (await fetch(`${this.url}${route}`)).json() as T;
  }

  explained(name: string): Promise<Explanation> {
    return this.get(`/explain/${NAMESPACE}/${name}`);
  }

  /** Waits until the extender judges a node so: by a rule, or in (undefined). */
  async judged(node: string, rule: string | undefined): Promise<void> {
    await eventually(
      `${node} is ${rule ?? 'in'}`,
      async () => {
        const { nodes } = await this.get<{ nodes: { node: string; rule?: string }[] }>('/state');
        const view = nodes.find((one) => one.node === node);
        return view !== undefined && view.rule === rule;
      },
      LIMIT_MS,
    );
  }

  async create(name: string, schedulerName: string): Promise<void> {
    await createPod(this.api, NAMESPACE, name, { cpu: '100m', spec: { schedulerName } });
  }

  /** The node that a pod is bound to, once it is. */
  bound(name: string): Promise<string> {
    return eventually(
      `${name} is bound`,
      async () => (await getPod(this.api, NAMESPACE, name)).spec.nodeName,
      LIMIT_MS,
    );
  }

  async stop(): Promise<void> {
    for (const scheduler of this.#schedulers) await scheduler.stop();
    this.extender.kill('SIGTERM');
    await this.extender.ended;
    for (const one of this.probers.values()) await one.stop();
    this.prometheus.closeAllConnections();
    this.prometheus.close();
    await this.api.close();
    await this.plane.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
