import assert from 'node:assert/strict';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import {
  containsUnknown,
  decode,
  diffProps,
  encode,
  formatPath,
  matchesPath,
  replacedAt,
  secret,
  UNKNOWN,
  type Props,
} from '../lab/plugins/shared';

const SIGNATURE = '4dabf18193072939515e22adb298388d';
const secretOf = (value: unknown) => ({ [SIGNATURE]: '1b47061264138c4ac30d75fd1eb44270', value });
const decodeJson = (json: object) => decode(Struct.fromJavaScript(json as never));

describe('lab plugin framework: property values', () => {
  it('unwraps secrets and remembers where they were', () => {
    const { props, secrets } = decodeJson({
      plain: 1,
      env: [{ name: 'A', value: secretOf('hidden') }],
      all: secretOf({ a: secretOf('twice') }),
    });
    assert.deepEqual(props, {
      plain: 1,
      env: [{ name: 'A', value: 'hidden' }],
      all: { a: 'twice' },
    });
    assert.deepEqual(secrets.map(formatPath).sort(), ['all', 'all.a', 'env[0].value']);
  });

  it('marks outputs as secret where inputs were, and only there', () => {
    const outputs: Props = { env: [{ name: 'A', value: 'hidden' }], other: 'seen' };
    const wire = encode(outputs, [
      ['env', 0, 'value'],
      ['env', 7],
      ['gone', 'x'],
    ]).toJavaScript();
    assert.deepEqual(wire, { env: [{ name: 'A', value: secretOf('hidden') }], other: 'seen' });
  });

  it('marks what a plugin itself calls secret, once', () => {
    const wire = encode({ data: secret({ a: 'x' }) }, [['data'], ['data', 'a']]).toJavaScript();
    assert.deepEqual(wire, { data: secretOf({ a: 'x' }) });
  });

  it('leaves out undefined, and keeps null, false, 0 and empty values', () => {
    const props = { a: undefined, b: null, c: false, d: 0, e: '', f: [], g: {} };
    assert.deepEqual(encode(props as unknown as Props).toJavaScript(), {
      ...{ b: null, c: false, d: 0, e: '' },
      ...{ f: [], g: {} },
    });
  });

  it('reads every kind of unknown, and unknown outputs, as UNKNOWN', () => {
    const list = '6a19a0b0-7e62-4c92-b797-7f8e31da9cc2';
    const output = { [SIGNATURE]: 'd0e6a833031e9bbcd3f4e8bde6ca49a4', secret: true };
    const { props, secrets } = decodeJson({ list, output, known: { ...output, value: 'x' } });
    assert.deepEqual(props, { list: UNKNOWN, output: UNKNOWN, known: 'x' });
    assert.deepEqual(secrets.map(formatPath).sort(), ['known', 'output']);
    assert.equal(containsUnknown({ a: [{ b: secret(UNKNOWN) }] }), true);
    assert.equal(containsUnknown({ a: ['x', null] }), false);
  });

  it('reads a reference to a resource as its id', () => {
    const reference = {
      [SIGNATURE]: '5cf8f73096256a8f31e491e813e4eb8e',
      urn: 'urn:x',
      id: 'net-1',
    };
    assert.deepEqual(decodeJson({ reference }).props, { reference: 'net-1' });
  });
});

describe('lab plugin framework: differences', () => {
  const kinds = (olds: Props, news: Props) =>
    Object.fromEntries(diffProps(olds, news).map((c) => [formatPath(c.path), c.kind]));

  it('names each leaf that was added, changed or removed, as Pulumi writes paths', () => {
    const olds = { a: 1, labels: { 'app.io/x': 'old', same: 's' }, list: [{ n: 1 }, { n: 2 }] };
    const news = { labels: { 'app.io/x': 'new', same: 's' }, list: [{ n: 1 }], extra: [true] };
    assert.deepEqual(kinds(olds, news), {
      a: 'delete',
      'labels["app.io/x"]': 'update',
      'list[1]': 'delete',
      extra: 'add',
    });
  });

  it('takes null and absent for the same, and an unknown for a change', () => {
    assert.deepEqual(kinds({ a: null, b: 1 }, { b: 1, c: null }), {});
    assert.deepEqual(kinds({ a: UNKNOWN, b: 'x' }, { a: UNKNOWN, b: UNKNOWN }), {
      a: 'update',
      b: 'update',
    });
  });

  it('sees a change of type', () => {
    assert.deepEqual(kinds({ a: { b: 1 }, c: [1] }, { a: 'x', c: { 0: 1 } }), {
      a: 'update',
      c: 'update',
    });
  });

  it('replaces at and below a pattern, not beside it', () => {
    assert.equal(matchesPath('spec.selector', ['spec', 'selector', 'matchLabels', 'a']), true);
    assert.equal(matchesPath('spec.selector', ['spec', 'selectors']), false);
    assert.equal(matchesPath('spec.selector', ['spec']), false);
    assert.equal(matchesPath('ports[*].internal', ['ports', 3, 'internal']), true);
    assert.equal(matchesPath('labels.*', ['labels', 'a.b/c']), true);
    const changes = replacedAt(diffProps({ name: 'a', size: 1 }, { name: 'b', size: 2 }), ['name']);
    assert.deepEqual(
      changes.map((c) => [c.path[0], c.replace]),
      [
        ['name', true],
        ['size', false],
      ],
    );
  });
});
