import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import fc from 'fast-check';
import { parseEstateConfig } from '../../components/config';
import { declareEstate } from '../../components/estate';
import type { Endpoint, EndpointName } from '../../components/network/endpoints';
import { estateFlows, type EstateFlows } from '../../components/network/flows';
import {
  flowRows,
  isAllowed,
  NETWORK_POLICY,
  policiesFor,
  policiesOf,
  type Actor,
  type NetworkPolicy,
} from './support/network';
import { record, type Declared } from './support/record';

const SECRET_MARK = '4dabf18193072939515e22adb298388d';
const NAMESPACE = 'kubernetes:core/v1:Namespace';

/** Everything on, so that every flow is there. */
const EVERYTHING = {
  nodes: [{ name: 'node-1', slot: 1 }],
  networkPolicies: { nodeCidrs: ['172.18.0.0/16'] },
  posture: { database: { enabled: true, host: '192.0.2.7' } },
  systems: {
    cpuScheduling: { enabled: true },
    eventScaling: { enabled: true },
    latencyScheduling: { enabled: true, traffic: { node: 'node-1', ratePerSecond: 1 } },
    autoscaling: { enabled: true, permanentWorkers: ['node-1'] },
    experiment: { enabled: true },
  },
};

const parse = (values: Record<string, unknown>) =>
  parseEstateConfig({
    values,
    keys: [],
    secrets: new Set(['clusterToken', 'databasePassword']),
  });

/** The manifests of an estate, and its table of flows. */
async function estateOf(values: Record<string, unknown>) {
  const config = parse(values);
  const { declared } = await record(() =>
    declareEstate({
      config,
      secrets: {
        clusterToken: pulumi.secret('token'),
        kubeconfig: undefined,
        registryPassword: undefined,
        databasePassword: pulumi.secret('password'),
      },
    }),
  );
  return { declared, policies: policiesOf(declared), table: estateFlows(config) };
}

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Template {
  readonly metadata: Pick<Metadata, 'labels' | 'annotations'>;
  readonly spec: {
    readonly containers: {
      readonly name: string;
      readonly ports?: { name: string; containerPort: number }[];
    }[];
  };
}
interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly pod: Actor;
  readonly template: Template;
}

/** Inputs as JSON knows them, with the values of secrets in their place. */
const plain = (inputs: unknown): unknown =>
  JSON.parse(
    JSON.stringify(inputs, (_key, value: unknown) =>
      value !== null && typeof value === 'object' && SECRET_MARK in value
        ? (value as unknown as { value: unknown }).value
        : value,
    ),
  );

/** The pod template of a resource that makes pods. */
function templateOf(inputs: Record<string, unknown>): Template | undefined {
  const spec = inputs.spec as Record<string, unknown> | undefined;
  const holders = [
    spec,
    (spec?.jobTemplate as { spec?: object } | undefined)?.spec,
    spec?.jobTargetRef,
  ];
  for (const holder of holders)
    if (holder !== undefined && typeof holder === 'object' && 'template' in (holder as object))
      return (holder as { template: Template }).template;
  return undefined;
}

/** Every kind of pod that the estate declares; each has an address of its own. */
function workloadsOf(declared: readonly Declared[]): Workload[] {
  return declared.flatMap(({ type, inputs }, index) => {
    const template = type.startsWith('kubernetes:') ? templateOf(inputs) : undefined;
    if (template === undefined) return [];
    const { name, namespace } = inputs.metadata as Metadata;
    const pod = { address: `10.42.9.${index % 250}`, namespace, labels: template.metadata.labels };
    return [{ kind: type, name, pod, template }];
  });
}

/** One actor for each end of a flow: where no manifest of the program says more, what the table says. */
function actorOf(name: EndpointName, endpoint: Endpoint): Actor {
  if (endpoint.kind === 'pods')
    return {
      address: '10.42.7.7',
      namespace: endpoint.namespace ?? 'kube-system',
      labels: endpoint.labels,
    };
  return {
    address: { database: '192.0.2.7', anyone: '203.0.113.9' }[name as string] ?? '172.18.0.2',
  };
}

const at = (port: number, protocol = 'TCP') => ({ port, protocol });
const text = (from: string, to: string, { port, protocol }: { port: number; protocol: string }) =>
  `${from} -> ${to}:${port}/${protocol}`;

describe('network policies', function () {
  this.timeout(300_000);
  let declared: readonly Declared[];
  let policies: readonly NetworkPolicy[];
  let table: EstateFlows;
  const ends = () => Object.entries(table.endpoints) as [EndpointName, Endpoint][];

  before(async () => {
    ({ declared, policies, table } = await estateOf(EVERYTHING));
  });

  it('deny all to every namespace that the program makes, both ways', () => {
    const namespaces = declared.filter(({ type }) => type === NAMESPACE);
    assert.deepEqual(namespaces.map(({ inputs }) => (inputs.metadata as Metadata).name).sort(), [
      'berth-probers',
      'berth-system',
      'hello',
      'keda',
      'posture',
      'traefik',
      'workload',
    ]);
    for (const { inputs } of namespaces) {
      const { name } = inputs.metadata as Metadata;
      const closed = policies.find(
        ({ metadata }) => metadata.namespace === name && metadata.name === 'default-deny',
      );
      assert.deepEqual(closed?.spec, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }, name);
    }
  });

  it('have one entry for each kind of pod that the program declares there', () => {
    const own = new Set(policies.map(({ metadata }) => metadata.namespace));
    const workloads = workloadsOf(declared).filter(({ pod }) => own.has(pod.namespace ?? ''));
    assert.ok(workloads.length > 30, String(workloads.length));
    for (const { kind, name, pod } of workloads)
      assert.deepEqual(
        policiesFor(policies, pod).length,
        2,
        `${kind} ${name}: the default and its own`,
      );
  });

  it('allow every flow of the table', () => {
    const actors = new Map(ends().map(([name, end]) => [name, actorOf(name, end)]));
    assert.ok(table.flows.length > 50);
    for (const { from, to, ports } of table.flows)
      for (const port of ports.length === 0 ? [at(1234)] : ports) {
        const [caller, called] = [actors.get(from), actors.get(to)];
        assert.ok(caller && called);
        assert.ok(isAllowed(policies, caller, called, port), text(from, to, port));
      }
  });

  it('allow every address that a manifest gives a pod', () => {
    const workloads = workloadsOf(declared);
    const services = declared.filter(({ type }) => type === 'kubernetes:core/v1:Service');
    const referred = declared.filter(({ type }) => /:(ConfigMap|Secret)$/.test(type));
    let addresses = 0;
    for (const { kind, name, pod, template } of workloads) {
      const spec = JSON.stringify(plain(template));
      const told = referred.filter(({ inputs }) => {
        const metadata = inputs.metadata as Metadata;
        return metadata.namespace === pod.namespace && spec.includes(`"name":"${metadata.name}"`);
      });
      const all = [spec, ...told.map(({ inputs }) => JSON.stringify(plain(inputs)))].join('\n');
      for (const [, host, namespace, port] of all.matchAll(
        /([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?(?::(\d+))?/g,
      )) {
        const service = services.find(({ inputs }) => {
          const metadata = inputs.metadata as Metadata;
          return metadata.name === host && metadata.namespace === namespace;
        });
        if (service === undefined) continue;
        const { selector, ports } = service.inputs.spec as {
          selector: Record<string, string>;
          ports: { port: number; targetPort?: number | string }[];
        };
        for (const one of ports.filter(
          (open) => port === undefined || open.port === Number(port),
        )) {
          const called = workloads.find(
            (other) =>
              other.pod.namespace === namespace &&
              Object.entries(selector).every(([key, value]) => other.pod.labels?.[key] === value),
          );
          assert.ok(called, `Service ${namespace}/${host} selects a pod`);
          const container = called.template.spec.containers[0]?.ports ?? [];
          const target =
            typeof one.targetPort === 'string'
              ? container.find((open) => open.name === one.targetPort)?.containerPort
              : (one.targetPort ?? one.port);
          assert.ok(target);
          addresses += 1;
          assert.ok(
            isAllowed(policies, pod, called.pod, at(target)),
            `${kind} ${text(name, called.name, at(target))}`,
          );
        }
      }
    }
    assert.ok(addresses > 25, `${addresses} addresses`);
  });

  it('let Prometheus scrape every pod that asks for it', () => {
    const prometheus = {
      address: '10.42.7.8',
      namespace: 'monitoring',
      labels: { 'app.kubernetes.io/name': 'prometheus' },
    };
    const scraped = workloadsOf(declared).flatMap(({ name, pod, template }) => {
      const port = template.metadata.annotations?.['prometheus.io/port'];
      return port === undefined ? [] : [{ name, pod, port: Number(port) }];
    });
    assert.ok(scraped.length >= 10, String(scraped.length));
    for (const { name, pod, port } of scraped)
      assert.ok(isAllowed(policies, prometheus, pod, at(port)), `${name}:${port}`);
  });

  it('have a flow to every port that a container opens', () => {
    const own = new Set(policies.map(({ metadata }) => metadata.namespace));
    const actors = ends().map(([name, end]) => actorOf(name, end));
    // Only the kubelet asks it, which no policy keeps from its own node's pods.
    const probedOnly = new Set(['latency-aware-scheduler']);
    for (const { name, pod, template } of workloadsOf(declared)) {
      if (!own.has(pod.namespace ?? '') || probedOnly.has(name)) continue;
      for (const { containerPort } of template.spec.containers.flatMap(({ ports }) => ports ?? []))
        assert.ok(
          actors.some((from) => isAllowed(policies, from, pod, at(containerPort))),
          `${name}:${containerPort} is called by nobody`,
        );
    }
  });

  it('deny whatever is not in the table', () => {
    const stranger: Actor = { address: '10.42.7.9', namespace: 'default', labels: { app: 'x' } };
    const intruders: [string, Actor][] = ['berth-system', 'posture', 'hello', 'workload'].map(
      (namespace) => [`unknown pod of ${namespace}`, { ...stranger, namespace }],
    );
    const actors: [string, Actor][] = [
      ...ends().map(([name, end]): [string, Actor] => [name, actorOf(name, end)]),
      ['stranger', stranger],
      ...intruders,
    ];
    /** The ends of flows that an actor stands for: a node is where the API server and Docker are. */
    const standsFor = (name: string): string[] => {
      const nodes = ['api-server', 'docker-socket-proxy'];
      return [name, 'anyone', ...(nodes.includes(name) ? nodes : [])];
    };
    const isOurs = ({ namespace }: Actor) =>
      policies.some(({ metadata }) => metadata.namespace === namespace);
    const usual = [...new Set(table.flows.flatMap(({ ports }) => ports.map(({ port }) => port)))];
    let denied = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...actors),
        fc.constantFrom(...actors),
        fc.oneof(fc.constantFrom(...usual), fc.integer({ min: 1, max: 65_535 })),
        fc.constantFrom('TCP' as const, 'UDP' as const),
        ([fromName, from], [toName, to], port, protocol) => {
          fc.pre(isOurs(from) || isOurs(to));
          const ways = table.flows.filter(
            (flow) =>
              (flow.ports.length === 0 ||
                flow.ports.some((open) => open.port === port && open.protocol === protocol)) &&
              standsFor(toName).includes(flow.to),
          );
          const outwards = ways.some((flow) => flow.from === fromName);
          const inwards = ways.some(
            (flow) => flow.to === toName && standsFor(fromName).includes(flow.from),
          );
          const expected = (!isOurs(from) || outwards) && (!isOurs(to) || inwards);
          if (!expected) denied += 1;
          assert.equal(
            isAllowed(policies, from, to, at(port, protocol)),
            expected,
            text(fromName, toName, at(port, protocol)),
          );
        },
      ),
      { numRuns: 5000 },
    );
    assert.ok(denied > 1000, `${denied} denied`);
  });

  it('let the API server in from nodes and from where flannel puts them, and no pod in its place', () => {
    const scheduler = {
      namespace: 'berth-system',
      labels: { 'app.kubernetes.io/name': 'cpu-scheduler' },
    };
    const to = { address: '10.42.3.3', ...scheduler };
    const allowed = (address: string) => isAllowed(policies, { address }, to, at(8080));
    assert.ok(allowed('172.18.0.2'));
    assert.ok(allowed('10.42.0.0'));
    assert.ok(allowed('10.42.2.0'));
    assert.ok(!allowed('10.42.0.5'));
    assert.ok(!allowed('203.0.113.9'));
    assert.ok(!isAllowed(policies, to, { address: '10.42.0.5' }, at(6443)));
  });

  it('take any address outside the pods for a node, where nobody says more', async () => {
    const open = await estateOf({ nodes: EVERYTHING.nodes });
    const to: Actor = {
      address: '10.42.3.3',
      namespace: 'berth-system',
      labels: { 'app.kubernetes.io/name': 'cpu-scheduler' },
    };
    assert.ok(isAllowed(open.policies, { address: '203.0.113.9' }, to, at(8080)));
    assert.ok(isAllowed(open.policies, to, { address: '203.0.113.9' }, at(6443)));
    assert.ok(!isAllowed(open.policies, to, { address: '203.0.113.9' }, at(443)));
    assert.ok(!isAllowed(open.policies, { address: '10.42.1.5' }, to, at(8080)));
  });

  it('follow a Prometheus and a database of others to where they are', async () => {
    const elsewhere = await estateOf({
      nodes: EVERYTHING.nodes,
      platform: { prometheus: { enabled: false, url: 'https://prom.observe.svc:8443/x' } },
      posture: { database: { enabled: true, host: '192.0.2.7', port: 5433 } },
    });
    const prometheus = { address: '10.42.7.8', namespace: 'observe', labels: {} };
    const scheduler: Actor = {
      address: '10.42.3.3',
      namespace: 'berth-system',
      labels: { 'app.kubernetes.io/name': 'cpu-scheduler' },
    };
    const analyzer = { address: '10.42.3.4', namespace: 'posture', labels: { app: 'posture' } };
    assert.ok(isAllowed(elsewhere.policies, scheduler, prometheus, at(9090)));
    assert.ok(isAllowed(elsewhere.policies, prometheus, scheduler, at(8080)));
    assert.ok(isAllowed(elsewhere.policies, analyzer, { address: '192.0.2.7' }, at(5433)));
    assert.ok(!isAllowed(elsewhere.policies, analyzer, { address: '192.0.2.8' }, at(5433)));
    assert.ok(!isAllowed(elsewhere.policies, analyzer, prometheus, at(9090)));
  });

  it('are there before what they are for, and the one that denies comes last', () => {
    const position = (name: string) =>
      declared.findIndex((one) => one.type === NETWORK_POLICY && one.name === name);
    const scheduler = declared.findIndex(
      ({ type, name }) => type === 'kubernetes:apps/v1:Deployment' && name === 'cpu-scheduler',
    );
    const closed = position('berth-system-default-deny');
    assert.ok(position('berth-system-cpu-scheduler') < closed);
    assert.ok(closed < scheduler);
  });

  it('are listed in their document as the table has them', () => {
    const document = readFileSync(
      join(__dirname, '..', '..', 'docs', 'network-policies.md'),
      'utf8',
    );
    const rows = document
      .split('\n')
      .filter((line) => /^\| [a-z]/.test(line) && !/calls \|$/.test(line));
    assert.deepEqual(rows, flowRows(table));
  });

  it('can be left out', async () => {
    const open = await estateOf({ ...EVERYTHING, networkPolicies: { enabled: false } });
    assert.deepEqual(open.policies, []);
  });

  it('name what is wrong with their configuration', () => {
    assert.throws(
      () =>
        parse({ networkPolicies: { nodeCidrs: ['172.18.0.0'], podCidr: '::/0', enable: true } }),
      (error: Error) => {
        assert.match(error.message, /berth:networkPolicies\.nodeCidrs\[0\]: .*192\.168\.1\.0\/24/);
        assert.match(error.message, /berth:networkPolicies\.podCidr: .*10\.42\.0\.0\/16/);
        assert.match(error.message, /berth:networkPolicies\.enable: .*did you mean enabled/);
        return true;
      },
    );
  });
});
