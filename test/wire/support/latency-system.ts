import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Agent, fetch, type Response } from 'undici';
import { buildServiceContext } from '../../../components/build-context';
import {
  latencySchedulerRbac,
  type LatencySchedulerConfig,
} from '../../../components/services/latency-scheduler-config';
import { latencyExtenderRbac } from '../../../runtime/latency-extender/rbac';
import type { NodeView } from '../../../runtime/latency-extender/types';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import { startControlPlane, type ControlPlane } from './control-plane';
import { ExtenderProxy } from './extender-proxy';
import { startExtenderScheduler } from './extender-scheduler';
import { FakeProber } from './fake-prober';
import {
  apiOf,
  createNamespace,
  createNode,
  createPod,
  eventually,
  getPod,
  listEvents,
  type SeenEvent,
} from './kube';
import { LatencyTraffic } from './latency-traffic';
import { freePorts, type Processes } from './processes';
import { kubeconfigOf } from './service-account';
import { ServiceProcess, temporaryFolder } from './service-process';

/** For the slowest machine. */
export const LIMIT_MS = 600_000;
export const NODES = ['node-0', 'node-1', 'node-2', 'node-3'] as const;
/** The node with the traffic. */
export const BUSY = 'node-0';
/** Where tests make their pods. */
export const NAMESPACE = 'test';

/** What `/explain` says of a node. */
export interface ExplainedNode extends NodeView {
  readonly extenderScore?: number;
  readonly why?: string;
}
/** What `/explain` says of a pod. */
export interface Explanation {
  readonly boundTo: string | null;
  readonly filter: { readonly asked: number; readonly nodes: readonly ExplainedNode[] };
  readonly prioritize?: { readonly best: string; readonly nodes: readonly ExplainedNode[] };
}
/** What `/state` says, as far as tests look at it. */
export interface ExtenderState {
  readonly target: { readonly node: string | null; readonly why: string };
  readonly nodes: readonly NodeView[];
}
/** How a kube-scheduler asks the extender. */
export interface SchedulerOptions {
  /** False: it sends whole nodes. */
  readonly nodeCacheCapable?: boolean;
  /** Long enough that the slowest machine is not taken for a slow extender, unless a test wants that. */
  readonly httpTimeoutSeconds?: number;
  readonly ignorable?: boolean;
  /** What it shows the extender, and the authority by which it knows it: paths of PEM files. */
  readonly tls?: LatencySchedulerConfig['tls'];
  /** Through the proxy, and not straight to the extender. */
  readonly proxied?: boolean;
}

/**
 * A real API server with its default scheduler, the latency extender as a process over probers that say what the test
 * wants, and as many more kube-schedulers as are started; each under an account with exactly the rights of its table.
 */
export class LatencySystem {
  readonly #schedulers: Processes[] = [];
  readonly #accounts = new Map<string, string>();

  private constructor(
    readonly plane: ControlPlane,
    readonly api: KubeApi,
    readonly probers: ReadonlyMap<string, FakeProber>,
    readonly traffic: LatencyTraffic,
    readonly extender: ServiceProcess,
    readonly url: string,
    readonly proxy: ExtenderProxy,
    private readonly folder: string,
    private readonly dispatcher: Agent,
  ) {}

  /**
   * The nodes stand in a row, 10 ms from one to the next, each with 20 % of its CPU in use.
   * @param followed the scheduler whose pods the extender follows. @param env more settings of the extender
   * @param ca the authority of its certificate (PEM), where those settings make it speak TLS
   */
  static async start(
    followed: string,
    env: Readonly<Record<string, string>> = {},
    ca?: string,
  ): Promise<LatencySystem> {
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
    const traffic = await LatencyTraffic.start(BUSY);
    const [port] = await freePorts(1);
    const extender = new ServiceProcess(
      buildServiceContext('latency-extender', path.join(folder, 'app')),
      {
        KUBECONFIG: await kubeconfigOf(plane, api, 'berth-system', 'extender', latencyExtenderRbac),
        SCHEDULER_NAME: followed,
        PROM_URL: traffic.url,
        PROBERS: [...probers].map(([node, { address }]) => `${node}=${address}`).join(),
        HTTP_HOST: '127.0.0.1',
        PORT: String(port),
        REFRESH_INTERVAL_MS: '500',
        TRAFFIC_INTERVAL_MS: '500',
        // A machine that is busy with other things for a while does not make readings stale.
        PROBE_MAX_AGE_MS: '20000',
        ...env,
      },
    );
    const url = `${ca === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
    const proxy = await ExtenderProxy.start(url);
    await createNamespace(api, NAMESPACE);
    return new LatencySystem(
      plane,
      api,
      probers,
      traffic,
      extender,
      url,
      proxy,
      folder,
      new Agent({ connect: { ca } }),
    );
  }

  /** Waits until the extender knows all nodes and the busiest of them. */
  async ready(): Promise<void> {
    await eventually(
      'the extender is ready and every node has a fresh probe',
      async () => {
        const response = await this.#fetch('/readyz');
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
  async startScheduler(schedulerName: string, options: SchedulerOptions = {}): Promise<Processes> {
    const own = path.join(this.folder, `${schedulerName}-${this.#schedulers.length}`);
    await mkdir(own);
    const account =
      this.#accounts.get(schedulerName) ??
      (await kubeconfigOf(
        this.plane,
        this.api,
        schedulerName,
        schedulerName,
        latencySchedulerRbac(schedulerName),
      ));
    this.#accounts.set(schedulerName, account);
    const scheduler = await startExtenderScheduler(own, {
      schedulerName,
      extenderUrl: options.proxied ? this.proxy.url : this.url,
      nodeCacheCapable: options.nodeCacheCapable ?? true,
      httpTimeoutSeconds: options.httpTimeoutSeconds ?? 60,
      ignorable: options.ignorable ?? false,
      tls: options.tls,
      leaseNamespace: schedulerName,
      kubeconfigPath: account,
    });
    this.#schedulers.push(scheduler);
    return scheduler;
  }

  #fetch(route: string): Promise<Response> {
    const { dispatcher } = this;
    return fetch(`${this.url}${route}`, { dispatcher });
  }

  prober(node: string): FakeProber {
    const found = this.probers.get(node);
    assert.ok(found);
    return found;
  }

  async get<T>(route: string): Promise<T> {
    return (await this.#fetch(route)).json() as T;
  }

  explained(name: string): Promise<Explanation> {
    return this.get(`/explain/${NAMESPACE}/${name}`);
  }

  /** What the extender knows, once it is so. */
  state(what: string, is: (state: ExtenderState) => boolean): Promise<ExtenderState> {
    const look = async (): Promise<ExtenderState | false> => {
      const state = await this.get<ExtenderState>('/state');
      return is(state) && state;
    };
    return eventually(what, look, LIMIT_MS);
  }

  /** Gives a node this CPU, and waits until the extender judges it by that: by a rule, or in (undefined). */
  async heat(node: string, cpuRatio: number, rule?: string): Promise<void> {
    this.prober(node).cpuRatio = cpuRatio;
    await this.state(`${node} is ${rule ?? 'in'} with CPU ${cpuRatio}`, ({ nodes }) =>
      nodes.some((one) => one.node === node && one.cpuRatio === cpuRatio && one.rule === rule),
    );
  }

  /** Makes probers silent, or answer again, and waits until the extender judges their nodes by that. */
  async silence(nodes: readonly string[], silent: boolean): Promise<void> {
    for (const node of nodes) this.prober(node).silent = silent;
    const rule = silent ? 'no-fresh-probe' : undefined;
    await this.state(`${nodes.join()}: ${rule ?? 'in'}`, (state) =>
      nodes.every((node) => state.nodes.some((one) => one.node === node && one.rule === rule)),
    );
  }

  async create(name: string, schedulerName: string, spec: object = {}): Promise<void> {
    await createPod(this.api, NAMESPACE, name, { cpu: '100m', spec: { schedulerName, ...spec } });
  }

  /** The node that a pod is bound to, once it is. */
  bound(name: string): Promise<string> {
    return eventually(
      `${name} is bound`,
      async () => (await getPod(this.api, NAMESPACE, name)).spec.nodeName,
      LIMIT_MS,
    );
  }

  /** The node that a pod is bound to now; undefined: none. */
  async node(name: string): Promise<string | undefined> {
    return (await getPod(this.api, NAMESPACE, name)).spec.nodeName;
  }

  /** The first event of this reason about a pod. */
  event(reason: string, pod: string): Promise<SeenEvent> {
    const find = async () =>
      (await listEvents(this.api, NAMESPACE)).find(
        (one) => one.reason === reason && one.regarding.name === pod,
      );
    return eventually(`${pod} has an event ${reason}`, find, LIMIT_MS);
  }

  async stop(): Promise<void> {
    for (const scheduler of this.#schedulers) await scheduler.stop();
    this.extender.kill('SIGTERM');
    await this.extender.ended;
    await this.dispatcher.close();
    await this.proxy.stop();
    for (const one of this.probers.values()) await one.stop();
    await this.traffic.stop();
    await this.api.close();
    await this.plane.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
