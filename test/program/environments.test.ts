import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ConfigError, parseEstateConfig, SECRET_KEYS } from '../../components/config';
import { stackFileValues, withInherited, type StackValues } from '../../components/inheritance';
import { safetyRules } from '../../runtime/cli/safety';
import { stackFolder } from '../../runtime/cli/stack-folder';

const projectDir = join(__dirname, '..', '..');
const read = (stack: string) => stackFileValues(projectDir, stack);
const configOf = (stack: string) => {
  const values = withInherited(read(stack) ?? {}, read);
  return parseEstateConfig({
    values,
    keys: Object.keys(values),
    secrets: new Set(SECRET_KEYS),
  });
};

describe('environments', () => {
  it('edge is nine arm64 boards, each with a slot and a device', () => {
    const { cluster, nodes, images, posture } = configOf('edge');
    assert.equal(cluster.kind, 'existing');
    assert.deepEqual(images.platforms, ['linux/arm64']);
    assert.deepEqual(
      nodes.map(({ slot }) => slot),
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.deepEqual(
      nodes.map(({ labels }) => labels.device),
      posture.devices,
    );
    assert.equal(new Set(posture.devices).size, 9);
    assert.equal(safetyRules(stackFolder(projectDir, 'edge')).safety, 'strict');
    assert.equal(safetyRules(stackFolder(projectDir, 'dev')).safety, 'warn');
    assert.equal(safetyRules(stackFolder(projectDir, 'edge')).protect, 'datastores');
    assert.equal(safetyRules(stackFolder(projectDir, 'dev')).protect, '');
  });

  it('ci is dev under names of its own', () => {
    const [ci, dev] = [configOf('ci'), configOf('dev')];
    assert.notEqual(ci.cluster.docker.name, dev.cluster.docker.name);
    assert.notEqual(ci.cluster.docker.apiPort, dev.cluster.docker.apiPort);
    assert.deepEqual(ci.cluster.docker.agent, dev.cluster.docker.agent);
    assert.deepEqual(ci.nodes, dev.nodes);
    assert.deepEqual(ci.systems, dev.systems);
    assert.deepEqual(ci.posture, { ...dev.posture, maxImages: 2 });
  });
});

describe('a stack that extends another', () => {
  const stacks: Record<string, StackValues> = {
    base: { images: { registry: 'r', username: 'u' }, nodes: [{ name: 'a' }], safety: 'strict' },
    middle: { extends: 'base', images: { username: 'v' } },
    circle: { extends: 'round' },
    round: { extends: 'circle' },
  };
  const from = (own: StackValues) => withInherited(own, (name) => stacks[name]);

  it('has its values over theirs: objects key by key, lists as a whole', () => {
    assert.deepEqual(from({ extends: 'middle', nodes: [{ name: 'b' }] }), {
      extends: 'middle',
      images: { registry: 'r', username: 'v' },
      nodes: [{ name: 'b' }],
      safety: 'strict',
    });
  });

  it("takes an empty default of the engine's for nothing said", () => {
    const defaults = { nodes: [], images: {}, safety: '', platform: {} };
    const { nodes, images, safety } = from({ ...defaults, extends: 'base' });
    assert.deepEqual([nodes, images, safety], [[{ name: 'a' }], stacks.base?.images, 'strict']);
    assert.deepEqual(from({ ...defaults, extends: '' }), { ...defaults, extends: '' });
  });

  it('is refused where the other is not there, or extends it in turn', () => {
    const refused = (own: StackValues, pattern: RegExp) =>
      assert.throws(
        () => from(own),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, pattern);
          return true;
        },
      );
    refused({ extends: 'nobody' }, /berth:extends: "nobody" has no Pulumi\.nobody\.yaml/);
    refused({ extends: 'circle' }, /circle → round → circle goes in a circle/);
  });
});
