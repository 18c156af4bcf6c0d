import assert from 'node:assert/strict';
import { formatPath, UNKNOWN, type Props } from '../lab/plugins/shared';
import type { KubeObject } from '../lab/plugins/kubernetes/api/cluster';
import { objectType } from '../lab/plugins/kubernetes/api/token';
import { resourceNames } from '../lab/plugins/kubernetes/helm/state';
import { timeoutOf, unknownSteering } from '../lab/plugins/kubernetes/objects/annotations';
import { diffObject } from '../lab/plugins/kubernetes/objects/diff';
import { withName } from '../lab/plugins/kubernetes/objects/naming';
import { needsTakeover, takeover } from '../lab/plugins/kubernetes/objects/ownership';
import { fixedFields } from '../lab/plugins/kubernetes/objects/replacement';
import { anotherCluster } from '../lab/plugins/kubernetes/session';

const SEED = new Uint8Array([1, 2, 3]);
const MUTABLE = { mutableConfigMaps: true, mutableSecrets: true, immutable: false };
const DEFAULTS = { mutableConfigMaps: false, mutableSecrets: false, immutable: false };
const type = (token: string) => objectType(token)!;

describe('lab kubernetes plugin: updates and replacements', () => {
  const replaced = (token: string, olds: Props, news: Props, options = MUTABLE) => {
    const diff = diffObject(olds, olds, news, fixedFields(type(token), options));
    return diff.changes.filter((c) => c.replace).map((c) => formatPath(c.path));
  };
  const meta = (name: string, namespace?: string): Props => ({
    metadata: namespace === undefined ? { name } : { name, namespace },
  });

  it('replaces on another name or namespace, and takes `default` for none', () => {
    const token = 'kubernetes:core/v1:Service';
    assert.deepEqual(replaced(token, meta('a'), meta('b')), ['metadata.name']);
    assert.deepEqual(replaced(token, meta('a', 'x'), meta('a', 'y')), ['metadata.namespace']);
    assert.deepEqual(replaced(token, meta('a', 'default'), meta('a')), []);
  });

  it('replaces a Job for its template and counts, and updates the rest', () => {
    const job = (spec: Props): Props => ({ ...meta('j'), spec });
    const olds = job({ template: { spec: { image: 'a' } }, parallelism: 1, suspend: true });
    const news = job({ template: { spec: { image: 'b' } }, parallelism: 2, suspend: false });
    assert.deepEqual(replaced('kubernetes:batch/v1:Job', olds, news), [
      'spec.parallelism',
      'spec.template.spec.image',
    ]);
  });

  it('replaces data of ConfigMaps and Secrets unless they are declared mutable', () => {
    const token = 'kubernetes:core/v1:ConfigMap';
    const [olds, news] = [{ data: { a: '1' } }, { data: { a: '2' } }];
    assert.deepEqual(replaced(token, olds, news, DEFAULTS), ['data.a']);
    assert.deepEqual(replaced(token, olds, news, MUTABLE), []);
    assert.deepEqual(replaced(token, olds, news, { ...MUTABLE, immutable: true }), ['data.a']);
    const secret = { stringData: { a: '1' } };
    assert.deepEqual(replaced('kubernetes:core/v1:Secret', secret, {}, DEFAULTS), ['stringData']);
  });

  it('never replaces a patched object but for its name', () => {
    const token = 'kubernetes:core/v1:ServicePatch';
    assert.deepEqual(replaced(token, { spec: { clusterIP: 'a' } }, { spec: {} }), []);
  });

  it('deletes first only what keeps a fixed name in its namespace', () => {
    const first = (news: Props, old: Props) => diffObject(old, old, news, []).deleteBeforeReplace;
    const generated = withName({ metadata: {} }, {}, 'web', SEED);
    assert.equal(first(meta('a'), meta('a')), true);
    assert.equal(first(meta('b'), meta('a')), false);
    assert.equal(first(meta('a', 'x'), meta('a', 'y')), false);
    assert.equal(first(generated, generated), false);
  });

  it('does not call one quantity in two spellings a change', () => {
    const limits = (cpu: string): Props => ({ ...meta('a'), limits: { cpu } });
    assert.deepEqual(diffObject(limits('1000m'), {}, limits('1'), []).changes, []);
  });

  it('takes over the fields of its own creation, not those of others', () => {
    const entry = (manager: string, operation: string, field: string) => ({
      manager,
      operation,
      fieldsV1: { 'f:spec': { [field]: {} } },
    });
    const object: KubeObject = {
      ...{ apiVersion: 'v1', kind: 'X' },
      metadata: {
        name: 'x',
        resourceVersion: '7',
        managedFields: [
          entry('pulumi-kubernetes', 'Update', 'f:a'),
          entry('other', 'Update', 'f:b'),
          { ...entry('pulumi-kubernetes', 'Update', 'f:c'), subresource: 'status' },
          entry('mine', 'Apply', 'f:d'),
        ],
      },
    };
    assert.equal(needsTakeover(object), true);
    const [fields] = takeover(object, 'mine') as [{ value: { manager: string }[] }];
    assert.deepEqual(
      fields.value.map(({ manager }) => manager),
      ['other', 'pulumi-kubernetes', 'mine'],
    );
    assert.deepEqual(fields.value[2], {
      ...{ manager: 'mine', operation: 'Apply' },
      fieldsV1: { 'f:spec': { 'f:a': {}, 'f:d': {} } },
    });
  });

  it('replaces everything only when the provider means another cluster', () => {
    const config = (server: string) =>
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        users: [{ name: 'u', user: {} }],
        'current-context': 'x',
      });
    const [a, b] = [{ kubeconfig: config('https://a') }, { kubeconfig: config('https://b') }];
    assert.deepEqual(anotherCluster(a, b), ['kubeconfig']);
    assert.deepEqual(anotherCluster(a, { kubeconfig: `${a.kubeconfig}\n` }), []);
    assert.deepEqual(anotherCluster(a, { kubeconfig: UNKNOWN }), ['kubeconfig']);
    const named = { clusterIdentifier: 'one' };
    assert.deepEqual(anotherCluster({ ...a, ...named }, { ...b, ...named }), []);
    assert.deepEqual(anotherCluster({ ...a, ...named }, { ...a, clusterIdentifier: 'two' }), [
      'clusterIdentifier',
    ]);
  });
});

describe('lab kubernetes plugin: steering annotations', () => {
  const annotated = (annotations: Props): Props => ({ metadata: { annotations } });

  it('names those that it does not implement', () => {
    const object = annotated({ 'pulumi.com/waitFor': 'x', 'pulumi.com/skipAwait': 'true', a: 'b' });
    assert.deepEqual(unknownSteering(object), ['pulumi.com/waitFor']);
  });

  it('waits ten minutes, or as the annotation or the resource option says', () => {
    assert.equal(timeoutOf({}, undefined), 600_000);
    const object = annotated({ 'pulumi.com/timeoutSeconds': '30' });
    assert.equal(timeoutOf(object, undefined), 30_000);
    assert.equal(timeoutOf(object, 5_000), 5_000);
  });
});

describe('lab kubernetes plugin: Helm manifests', () => {
  it('lists the objects of a release by kind', () => {
    const manifest = `---
# Source: a/b.yaml
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: ns }
---
---
apiVersion: v1
kind: Service
metadata: { name: b }
---
apiVersion: v1
kind: Service
metadata: { name: a }
`;
    assert.deepEqual(resourceNames(manifest), {
      'Deployment.apps/apps/v1': ['ns/web'],
      'Service/v1': ['a', 'b'],
    });
  });
});
