import assert from 'node:assert/strict';
import { previewMarkdown } from '../../../runtime/cli/preview-report/markdown';
import { event, node, replaced, reportOf, SECRET } from './support';

const DEPLOYMENT = 'kubernetes:apps/v1:Deployment';
const workload = (type: string, old: object, next: object, paths: string[]) =>
  reportOf([
    node('same', 'agent', 'a'),
    node('same', 'agent', 'b'),
    event({ op: 'update', type, name: 'w', old: { spec: old }, new: { spec: next }, paths }),
  ]);
const TEMPLATE = 'spec.template.spec.containers[0].image';

describe('report of a preview', () => {
  it('counts the pods that a change stops, and those that it replaces one by one', () => {
    const rolled = workload(DEPLOYMENT, { replicas: 3 }, { replicas: 3 }, [TEMPLATE]);
    assert.deepEqual([rolled.cost.podsRolled, rolled.cost.podsStopped], [3, 0]);
    const recreate = { replicas: 2, strategy: { type: 'Recreate' } };
    assert.equal(workload(DEPLOYMENT, recreate, recreate, [TEMPLATE]).cost.podsStopped, 2);
    const scaled = workload(DEPLOYMENT, { replicas: 5 }, { replicas: 2 }, ['spec.replicas']);
    assert.equal(scaled.cost.podsStopped, 3);
    const daemons = workload('kubernetes:apps/v1:DaemonSet', {}, {}, [TEMPLATE]);
    assert.equal(daemons.cost.podsRolled, 2);
    const labelled = workload(DEPLOYMENT, {}, {}, ['metadata.labels["a"]']);
    assert.deepEqual(labelled.workloads, []);
  });

  it('knows that a gradual ScaledJob lets its Jobs end', () => {
    const type = 'kubernetes:keda.sh/v1alpha1:ScaledJob';
    const path = ['spec.jobTargetRef.template.spec.priority'];
    const gradual = { rollout: { strategy: 'gradual' } };
    assert.equal(workload(type, gradual, gradual, path).workloads[0]?.what, 'later');
    assert.equal(workload(type, {}, {}, path).cost.podsStopped, 1);
  });

  it('does not take what it cannot know for nothing', () => {
    const release = workload('kubernetes:helm.sh/v3:Release', {}, {}, ['values.a']);
    assert.deepEqual(release.cost.unknown, ['Helm release w']);
    const { workloads } = workload(DEPLOYMENT, {}, {}, []);
    assert.deepEqual(
      workloads.map(({ what, podsGone }) => [what, podsGone]),
      [['unknown', undefined]],
    );
  });

  it('names secrets that rotate, and shows no value', () => {
    const report = reportOf([
      ...replaced({
        type: 'kubernetes:core/v1:Secret',
        name: 'db',
        old: { kind: 'Secret', stringData: SECRET },
        new: { kind: 'Secret', stringData: SECRET },
        paths: ['stringData.password!'],
      }),
      event({
        op: 'update',
        type: 'kubernetes:core/v1:Secret',
        name: 'plain',
        old: { kind: 'Secret', data: { token: 'b2xk' } },
        new: { kind: 'Secret', data: { token: 'bmV3' } },
        paths: ['data.token'],
      }),
      event({
        op: 'update',
        type: 'kubernetes:core/v1:ConfigMap',
        name: 'open',
        old: { kind: 'ConfigMap', data: { a: '1' } },
        new: { kind: 'ConfigMap', data: { a: '2' } },
        paths: ['data.a'],
      }),
    ]);
    assert.deepEqual(
      report.secrets.map(({ name, path }) => `${name} ${path}`),
      ['db stringData.password', 'plain data.token'],
    );
    const text = previewMarkdown(report, { stack: 'edge', safety: 'warn' });
    assert.ok(!text.includes('b2xk') && !text.includes('bmV3') && !text.includes('ciphertext'));
    assert.match(text, /data\.a 1 → 2/);
  });

  it('tells a server from an agent, and a node that is only relabelled', () => {
    const patch = (name: string) =>
      event({
        op: 'update',
        type: 'kubernetes:core/v1:NodePatch',
        name: `node-${name}`,
        old: { metadata: { name, labels: { 'posture/slot': 'slot-1' } } },
        new: { metadata: { name, labels: { 'posture/slot': 'slot-2' } } },
        paths: ['metadata.labels["posture/slot"]'],
      });
    const { nodes } = reportOf([
      node('replace', 'server', 'server'),
      node('delete', 'agent', 'a'),
      patch('a'),
      patch('b'),
    ]);
    assert.deepEqual(
      nodes.map(({ node, role, what }) => [node, role, what]),
      [
        ['a', 'agent', 'leave'],
        ['server', 'server', 'replace'],
        ['b', undefined, 'label'],
      ],
    );
  });
});
