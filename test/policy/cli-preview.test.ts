import assert from 'node:assert/strict';
import { previewSteps, valueAt } from '../../runtime/cli/preview-steps';
import { previewLines } from '../../runtime/cli/preview-text';

const NODE_PATCH = 'kubernetes:core/v1:NodePatch';
const urn = (type: string, name: string) => `urn:pulumi:dev::berth::${type}::${name}`;

const pre = (op: string, type: string, name: string, more: object = {}) =>
  ({
    sequence: 0,
    timestamp: 0,
    resourcePreEvent: { metadata: { op, type, urn: urn(type, name), provider: '', ...more } },
  }) as never;

const slotChange = pre('update', NODE_PATCH, 'node-1-labels', {
  old: { inputs: { metadata: { labels: { 'posture/slot': 'slot-1' } } } },
  new: { inputs: { metadata: { labels: { 'posture/slot': 'slot-4' } } } },
  detailedDiff: {
    'metadata.labels["posture/slot"]': { diffKind: 'update', inputDiff: true },
  },
});

describe('steps of a preview', () => {
  it('lists what changes, with the values before and after', () => {
    const steps = previewSteps([
      pre('same', 'docker:index/network:Network', 'berth'),
      pre('update', 'pulumi:pulumi:Stack', 'berth-dev'),
      slotChange,
    ]);
    assert.deepEqual(steps, [
      {
        op: 'update',
        urn: urn(NODE_PATCH, 'node-1-labels'),
        type: NODE_PATCH,
        diffs: [
          {
            path: 'metadata.labels["posture/slot"]',
            kind: 'update',
            replaces: false,
            before: 'slot-1',
            after: 'slot-4',
          },
        ],
      },
    ]);
  });

  it('shows a replacement as one step that names its reason', () => {
    const type = 'docker:index/container:Container';
    const change = {
      old: { inputs: { image: 'a' }, outputs: { image: 'a' } },
      new: { inputs: { image: 'b' } },
      detailedDiff: { image: { diffKind: 'update-replace', inputDiff: false } },
    };
    const steps = previewSteps([
      pre('create-replacement', type, 'node-1', change),
      pre('replace', type, 'node-1', change),
      pre('delete-replaced', type, 'node-1'),
    ]);
    assert.deepEqual(previewLines(steps), [
      '± replace docker Container node-1',
      '      ~ image: "a" → "b" (forces the replacement)',
    ]);
  });

  it('falls back to the names of properties where the provider gives no details', () => {
    const [only] = previewSteps([
      pre('update', NODE_PATCH, 'x', {
        old: { inputs: { gone: 1 } },
        new: { inputs: { come: 2 } },
        diffs: ['gone', 'come'],
      }),
    ]);
    assert.deepEqual(
      only?.diffs.map(({ path, kind }) => [path, kind]),
      [
        ['gone', 'delete'],
        ['come', 'add'],
      ],
    );
  });

  it('cuts long values and names what is known only later', () => {
    const lines = previewLines([
      {
        op: 'update',
        urn: urn(NODE_PATCH, 'x'),
        type: NODE_PATCH,
        diffs: [
          { path: 'a', kind: 'update', replaces: false, before: 'x'.repeat(200), after: undefined },
        ],
      },
    ]);
    assert.equal(lines[1], `      ~ a: "${'x'.repeat(79)}… → (known after the update)`);
  });

  it('reads property paths as the engine writes them', () => {
    const root = { a: [{ 'b.c/d': { e: 1 } }] };
    assert.equal(valueAt(root, 'a[0]["b.c/d"].e'), 1);
    assert.equal(valueAt(root, 'a[1]["b.c/d"].e'), undefined);
    assert.equal(valueAt(undefined, 'a'), undefined);
  });
});
