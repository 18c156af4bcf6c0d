import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { UNKNOWN, type Props } from '../lab/plugins/shared';
import { objectType } from '../lab/plugins/kubernetes/api/token';
import { fieldManager, idOf, parseId, withName } from '../lab/plugins/kubernetes/objects/naming';
import { quantity, sameValue } from '../lab/plugins/kubernetes/objects/quantity';
import {
  cutToShape,
  importedInputs,
  keepStringData,
} from '../lab/plugins/kubernetes/objects/shape';

const SEED = new Uint8Array([1, 2, 3]);

describe('lab kubernetes plugin: types', () => {
  it('reads group, version and kind from a token', () => {
    const cases: [string, string, string, boolean][] = [
      ['kubernetes:core/v1:Namespace', 'v1', 'Namespace', false],
      ['kubernetes:apps/v1:Deployment', 'apps/v1', 'Deployment', false],
      [
        'kubernetes:rbac.authorization.k8s.io/v1:ClusterRole',
        'rbac.authorization.k8s.io/v1',
        'ClusterRole',
        false,
      ],
      ['kubernetes:core/v1:NodePatch', 'v1', 'Node', true],
      ['kubernetes:keda.sh/v1alpha1:ScaledJob', 'keda.sh/v1alpha1', 'ScaledJob', false],
    ];
    for (const [token, apiVersion, kind, patch] of cases) {
      assert.deepEqual(objectType(token), { apiVersion, kind, patch }, token);
    }
  });

  it('knows nothing of lists, charts, kustomize and YAML', () => {
    for (const name of ['core/v1:NodeList', 'helm.sh/v4:Chart', 'yaml/v2:ConfigFile', 'index:X']) {
      assert.equal(objectType(`kubernetes:${name}`), undefined, name);
    }
  });
});

describe('lab kubernetes plugin: names', () => {
  const news: Props = { metadata: { labels: { a: 'b' } } };

  it('names an unnamed object after its resource, the same for the same seed', () => {
    const named = withName(news, {}, 'web', SEED);
    const { name, annotations, labels } = named.metadata as Props;
    assert.match(name as string, /^web-[0-9a-f]{8}$/);
    assert.deepEqual(annotations, { 'pulumi.com/autonamed': 'true' });
    assert.deepEqual(labels, { a: 'b' });
    assert.deepEqual(withName(news, {}, 'web', SEED), named);
    assert.notDeepEqual(withName(news, {}, 'web', new Uint8Array([4])), named);
  });

  it('keeps the generated name of the last run, but not a fixed one', () => {
    const generated = withName(news, {}, 'web', SEED);
    assert.deepEqual(withName(news, generated, 'web', new Uint8Array([9])), generated);
    const fixed = { metadata: { name: 'fixed' } };
    assert.notEqual((withName(news, fixed, 'web', SEED).metadata as Props).name, 'fixed');
  });

  it('leaves a name alone that the program gives or that is not known yet', () => {
    for (const metadata of [{ name: 'x' }, { name: UNKNOWN }, UNKNOWN]) {
      assert.deepEqual(withName({ metadata }, {}, 'web', SEED), { metadata });
    }
  });

  it('has ids that lead back to the object', () => {
    assert.equal(idOf(undefined, 'n'), 'n');
    assert.deepEqual(parseId(idOf('ns', 'n')), { namespace: 'ns', name: 'n' });
    assert.deepEqual(parseId('n'), { name: 'n' });
  });

  it('keeps a field manager for good unless an annotation names another', () => {
    assert.match(fieldManager({}, {}), /^pulumi-kubernetes-[0-9a-f]{8}$/);
    assert.equal(fieldManager({}, { __fieldManager: 'kept' }), 'kept');
    const annotations = { 'pulumi.com/patchFieldManager': 'named' };
    assert.equal(fieldManager({ metadata: { annotations } }, { __fieldManager: 'kept' }), 'named');
  });
});

describe('lab kubernetes plugin: drift', () => {
  it('shows what differs from the inputs, not what the server added', () => {
    const inputs: Props = {
      metadata: { name: 'x', labels: { a: '1', gone: 'g' } },
      spec: { cpu: '1000m', ports: [{ port: 80 }], emptyDir: {}, replicas: 2 },
    };
    const live: Props = {
      metadata: { name: 'x', uid: 'u', labels: { a: '2', added: 'c' } },
      spec: { cpu: '1', ports: [{ port: 80, protocol: 'TCP' }], replicas: 3, defaulted: true },
      status: { phase: 'Running' },
    };
    assert.deepEqual(cutToShape(live, inputs), {
      metadata: { name: 'x', labels: { a: '2' } },
      spec: { cpu: '1000m', ports: [{ port: 80 }], emptyDir: {}, replicas: 3 },
    });
  });

  it('is nothing when the live object is what was asked for, whatever that was', () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json, { noNullPrototype: true }), (inputs) => {
        const props = JSON.parse(JSON.stringify(inputs)) as Props;
        assert.deepEqual(cutToShape({ ...props, status: 'x' }, props), props);
      }),
    );
  });

  it('compares stringData with the data that the server keeps', () => {
    const data = { same: btoa('a'), changed: btoa('now') };
    const inputs = { stringData: { same: 'a', changed: 'before', gone: 'x' } };
    assert.deepEqual(keepStringData({}, { data }, inputs), {
      stringData: { same: 'a', changed: 'now' },
    });
  });

  it('imports an object without what only the server writes', () => {
    const live = { kind: 'X', metadata: { name: 'x', uid: 'u', managedFields: [] }, status: {} };
    assert.deepEqual(importedInputs(live), { kind: 'X', metadata: { name: 'x' } });
  });

  it('knows one quantity written in two ways', () => {
    assert.equal(quantity('1Gi'), 2 ** 30);
    for (const [a, b] of [
      ['1000m', '1'],
      ['0.5', '500m'],
      ['1024Mi', '1Gi'],
      [80, '80'],
    ]) {
      assert.equal(sameValue(a, b), true, `${a} ${b}`);
    }
    for (const [a, b] of [
      ['1G', '1Gi'],
      ['a', 'b'],
      ['', '0'],
      [true, 'true'],
      ['v1', 1],
    ]) {
      assert.equal(sameValue(a, b), false, `${a} ${b}`);
    }
  });
});
