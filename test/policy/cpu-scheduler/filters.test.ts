import assert from 'node:assert/strict';
import { rejection } from '../../../runtime/cpu-scheduler/policy/feasible';
import type { FilterContext, NodeInfo, PodInfo } from '../../../runtime/cpu-scheduler/types';
import type { NodeSelectorTerm, PodSpec } from '../../../runtime/shared/kubernetes/types';
import { cluster, NO_CONTEXT, node, NOW_MS, pod } from './support';

interface Row {
  readonly what: string;
  readonly pod?: PodInfo;
  readonly node?: NodeInfo;
  /** Pods that are on the node already. */
  readonly on?: readonly PodInfo[];
  readonly context?: FilterContext;
  /** The rule that excludes the node; undefined when the pod fits. */
  readonly rule?: string;
  readonly reasons?: readonly string[];
}

const affinity = (...terms: NodeSelectorTerm[]): Partial<PodSpec> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
    },
  },
});
const expression = (key: string, operator: string, ...values: string[]): NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, values }],
});
const wants = (...terms: NodeSelectorTerm[]): PodInfo => pod({ spec: affinity(...terms) });
const tolerating = (toleration: object): PodInfo => pod({ spec: { tolerations: [toleration] } });
const tainted = (effect: string, value = 'x'): NodeInfo =>
  node('n', { spec: { taints: [{ key: 'k', value, effect }] } });
const port = (hostPort: number, more: object = {}) => ({
  spec: { containers: [{ name: 'c', ports: [{ hostPort, ...more }] }] },
});
const labelled = node('n', { labels: { zone: 'a', size: '5' } });
const ext = { 'example.com/gpu': '2' };

const rows: readonly Row[] = [
  { what: 'a plain pod fits a plain node' },
  { what: 'not Ready', node: node('n', { ready: false }), rule: 'NodeReady' },
  {
    what: 'cordoned',
    node: node('n', { spec: { unschedulable: true } }),
    rule: 'NodeUnschedulable',
    reasons: ['node(s) were unschedulable'],
  },
  {
    what: 'cordoned, tolerated',
    node: node('n', { spec: { unschedulable: true } }),
    pod: tolerating({ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }),
  },
  { what: 'another nodeName', pod: pod({ spec: { nodeName: 'm' } }), rule: 'NodeName' },
  { what: 'this nodeName', pod: pod({ spec: { nodeName: 'n' } }) },

  {
    what: 'taint NoSchedule',
    node: tainted('NoSchedule'),
    rule: 'TaintToleration',
    reasons: ['node(s) had untolerated taint(s)'],
  },
  { what: 'taint NoExecute', node: tainted('NoExecute'), rule: 'TaintToleration' },
  { what: 'taint PreferNoSchedule', node: tainted('PreferNoSchedule') },
  {
    what: 'Equal tolerates the value',
    node: tainted('NoSchedule'),
    pod: tolerating({ key: 'k', operator: 'Equal', value: 'x' }),
  },
  {
    what: 'no operator means Equal',
    node: tainted('NoSchedule'),
    pod: tolerating({ key: 'k', value: 'x' }),
  },
  {
    what: 'Equal refuses another value',
    node: tainted('NoSchedule'),
    pod: tolerating({ key: 'k', value: 'y' }),
    rule: 'TaintToleration',
  },
  {
    what: 'Exists tolerates any value',
    node: tainted('NoSchedule'),
    pod: tolerating({ key: 'k', operator: 'Exists' }),
  },
  {
    what: 'Exists without a key tolerates all',
    node: tainted('NoExecute'),
    pod: tolerating({ operator: 'Exists' }),
  },
  {
    what: 'another effect',
    node: tainted('NoExecute'),
    pod: tolerating({ key: 'k', operator: 'Exists', effect: 'NoSchedule' }),
    rule: 'TaintToleration',
  },
  {
    what: 'Gt holds',
    node: tainted('NoSchedule', '9'),
    pod: tolerating({ key: 'k', operator: 'Gt', value: '8' }),
  },
  {
    what: 'Gt does not hold',
    node: tainted('NoSchedule', '8'),
    pod: tolerating({ key: 'k', operator: 'Gt', value: '8' }),
    rule: 'TaintToleration',
  },
  {
    what: 'Lt of no number',
    node: tainted('NoSchedule', 'x'),
    pod: tolerating({ key: 'k', operator: 'Lt', value: '8' }),
    rule: 'TaintToleration',
  },

  {
    what: 'nodeSelector matches',
    node: labelled,
    pod: pod({ spec: { nodeSelector: { zone: 'a' } } }),
  },
  {
    what: 'nodeSelector of another value',
    node: labelled,
    pod: pod({ spec: { nodeSelector: { zone: 'b' } } }),
    rule: 'NodeAffinity',
    reasons: ["node(s) didn't match Pod's node affinity/selector"],
  },
  {
    what: 'nodeSelector of no label',
    node: labelled,
    pod: pod({ spec: { nodeSelector: { none: '' } } }),
    rule: 'NodeAffinity',
  },
  { what: 'In', node: labelled, pod: wants(expression('zone', 'In', 'b', 'a')) },
  {
    what: 'not In',
    node: labelled,
    pod: wants(expression('zone', 'In', 'b')),
    rule: 'NodeAffinity',
  },
  {
    what: 'NotIn',
    node: labelled,
    pod: wants(expression('zone', 'NotIn', 'a')),
    rule: 'NodeAffinity',
  },
  { what: 'NotIn of no label', node: labelled, pod: wants(expression('none', 'NotIn', 'a')) },
  { what: 'Exists', node: labelled, pod: wants(expression('zone', 'Exists')) },
  {
    what: 'Exists of no label',
    node: labelled,
    pod: wants(expression('toString', 'Exists')),
    rule: 'NodeAffinity',
  },
  {
    what: 'DoesNotExist',
    node: labelled,
    pod: wants(expression('zone', 'DoesNotExist')),
    rule: 'NodeAffinity',
  },
  { what: 'Gt', node: labelled, pod: wants(expression('size', 'Gt', '4')) },
  {
    what: 'Gt the same',
    node: labelled,
    pod: wants(expression('size', 'Gt', '5')),
    rule: 'NodeAffinity',
  },
  { what: 'Lt', node: labelled, pod: wants(expression('size', 'Lt', '10')) },
  {
    what: 'Lt of a label that is no number',
    node: labelled,
    pod: wants(expression('zone', 'Lt', '10')),
    rule: 'NodeAffinity',
  },
  {
    what: 'any one of the terms',
    node: labelled,
    pod: wants(expression('zone', 'In', 'b'), expression('size', 'Exists')),
  },
  {
    what: 'all requirements of a term',
    node: labelled,
    pod: wants({
      matchExpressions: [
        { key: 'zone', operator: 'Exists' },
        { key: 'none', operator: 'Exists' },
      ],
    }),
    rule: 'NodeAffinity',
  },
  { what: 'an empty term matches nothing', node: labelled, pod: wants({}), rule: 'NodeAffinity' },
  { what: 'no terms match nothing', node: labelled, pod: wants(), rule: 'NodeAffinity' },
  {
    what: 'matchFields',
    pod: wants({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }),
  },
  {
    what: 'matchFields of another',
    pod: wants({ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n'] }] }),
    rule: 'NodeAffinity',
  },

  { what: 'cpu that is just free', pod: pod({ cpu: '3' }), on: [pod({ name: 'a', cpu: '1' })] },
  {
    what: 'cpu that is not',
    pod: pod({ cpu: '3001m' }),
    on: [pod({ name: 'a', cpu: '1' })],
    rule: 'NodeResourcesFit',
    reasons: ['Insufficient cpu'],
  },
  { what: 'no request needs no room', on: [pod({ name: 'a', cpu: '9' })] },
  {
    what: 'too many pods',
    node: node('n', { allocatable: { pods: '1' } }),
    on: [pod({ name: 'a' })],
    rule: 'NodeResourcesFit',
    reasons: ['Too many pods'],
  },
  {
    what: 'memory',
    pod: pod({ spec: { containers: [{ name: 'c', resources: { requests: { memory: '9Gi' } } }] } }),
    rule: 'NodeResourcesFit',
    reasons: ['Insufficient memory'],
  },
  {
    what: 'both reasons',
    pod: pod({
      spec: { containers: [{ name: 'c', resources: { requests: { cpu: '5', memory: '9Gi' } } }] },
    }),
    rule: 'NodeResourcesFit',
    reasons: ['Insufficient cpu', 'Insufficient memory'],
  },
  {
    what: 'an extended resource',
    node: node('n', { allocatable: ext }),
    pod: pod({ spec: { containers: [{ name: 'c', resources: { requests: ext } }] } }),
  },
  {
    what: 'an extended resource the node lacks',
    pod: pod({ spec: { containers: [{ name: 'c', resources: { requests: ext } }] } }),
    rule: 'NodeResourcesFit',
    reasons: ['Insufficient example.com/gpu'],
  },

  {
    what: 'a host port in use',
    pod: pod(port(80)),
    on: [pod({ name: 'a', ...port(80) })],
    rule: 'NodePorts',
    reasons: ["node(s) didn't have free ports for the requested pod ports"],
  },
  { what: 'another port', pod: pod(port(81)), on: [pod({ name: 'a', ...port(80) })] },
  {
    what: 'another protocol',
    pod: pod(port(80, { protocol: 'UDP' })),
    on: [pod({ name: 'a', ...port(80) })],
  },
  {
    what: 'another address',
    pod: pod(port(80, { hostIP: '10.0.0.1' })),
    on: [pod({ name: 'a', ...port(80, { hostIP: '10.0.0.2' }) })],
  },
  {
    what: 'one address of all',
    pod: pod(port(80, { hostIP: '10.0.0.1' })),
    on: [pod({ name: 'a', ...port(80) })],
    rule: 'NodePorts',
  },
  {
    what: 'all addresses, one in use',
    pod: pod(port(80)),
    on: [pod({ name: 'a', ...port(80, { hostIP: '10.0.0.1' }) })],
    rule: 'NodePorts',
  },

  {
    what: 'the node a pod of the Job was evicted from',
    context: { ...NO_CONTEXT, leftNodes: new Set(['n']) },
    rule: 'LeftNode',
  },
];

describe('cpu-scheduler: what is feasible', () => {
  for (const row of rows) {
    it(`${row.what}: ${row.rule ?? 'fits'}`, () => {
      const info = row.node ?? node('n');
      const view = cluster([[info, 0]]);
      for (const one of row.on ?? []) view.assume(one, 'n', NOW_MS);
      const target = view.node('n');
      assert.ok(target);
      const rejected = rejection(
        row.pod ?? pod({ name: 'new' }),
        target,
        row.context ?? NO_CONTEXT,
      );
      assert.equal(rejected?.rule, row.rule);
      if (row.reasons !== undefined) assert.deepEqual(rejected?.reasons, row.reasons);
    });
  }

  it('required anti-affinity of a pod that runs keeps others off its whole zone', () => {
    const view = cluster([
      [node('n1', { labels: { zone: 'a' } }), 0],
      [node('n2', { labels: { zone: 'a' } }), 0],
      [node('n3', { labels: { zone: 'b' } }), 0],
    ]);
    const term = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } };
    const spec = {
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
    };
    view.setBound(
      pod({ name: 'lonely', spec: { nodeName: 'n1', containers: [], ...spec } }),
      NOW_MS,
    );
    const context = { ...NO_CONTEXT, keepAways: view.keepAways };
    const rules = (labels: Record<string, string>, namespace = 'ns') =>
      ['n1', 'n2', 'n3'].map((name) => {
        const target = view.node(name);
        assert.ok(target);
        return rejection(pod({ metadata: { labels, namespace } }), target, context)?.rule;
      });
    assert.deepEqual(rules({ app: 'web' }), ['InterPodAffinity', 'InterPodAffinity', undefined]);
    assert.deepEqual(rules({ app: 'db' }), [undefined, undefined, undefined]);
    assert.deepEqual(rules({ app: 'web' }, 'other'), [undefined, undefined, undefined]);
  });

  it('its own required anti-affinity keeps a pod off a node with a pod that it means', () => {
    const view = cluster([
      [node('n1'), 0],
      [node('n2'), 0],
    ]);
    const metadata = { labels: { app: 'posture' }, namespace: 'ns' };
    view.setBound(pod({ name: 'plain', metadata, spec: { nodeName: 'n1' } }), NOW_MS);
    const term = {
      topologyKey: 'kubernetes.io/hostname',
      labelSelector: { matchLabels: { app: 'posture' } },
    };
    const affinity = {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
    };
    const rules = (namespace: string) =>
      ['n1', 'n2'].map((name) => {
        const target = view.node(name);
        assert.ok(target);
        const lonely = pod({ name: 'lonely', metadata: { namespace }, spec: { affinity } });
        return rejection(lonely, target, NO_CONTEXT)?.rule;
      });
    assert.deepEqual(rules('ns'), ['InterPodAffinity', undefined]);
    assert.deepEqual(rules('other'), [undefined, undefined]);
  });
});
