import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEstateConfig, SECRET_KEYS } from '../../components/config';
import { stackFileValues, withInherited } from '../../components/inheritance';
import { envNew, type EnvNewOptions } from '../../runtime/cli/commands/env-new';
import type { Answers } from '../../runtime/cli/new-env/answers';
import { stackFolder } from '../../runtime/cli/stack-folder';
import { UserError } from '../../runtime/cli/user-error';

const repository = join(__dirname, '..', '..');

describe('npm run env:new', () => {
  let projectDir: string;
  let printed: string[];
  beforeEach(() => {
    projectDir = mkdtempSync(join(tmpdir(), 'berth-env-'));
    printed = [];
    const dev = readFileSync(join(repository, 'Pulumi.dev.yaml'));
    writeFileSync(join(projectDir, 'Pulumi.dev.yaml'), dev);
  });
  afterEach(() => rmSync(projectDir, { recursive: true, force: true }));

  const create = (name: string, options: EnvNewOptions, answers?: Partial<Answers>) =>
    envNew(
      {
        projectDir,
        folder: stackFolder(projectDir, name),
        print: (line) => void printed.push(line),
      },
      options,
      answers !== undefined,
      (known) => Promise.resolve({ ...known, ...answers }),
    );
  /** The configuration that the program would make of the file. */
  const configOf = (name: string) => {
    const read = (stack: string) => stackFileValues(projectDir, stack);
    const values = withInherited(read(name) ?? {}, read);
    const keys = Object.keys(values);
    return parseEstateConfig({ values, keys, secrets: new Set(SECRET_KEYS) });
  };

  it('writes a valid configuration from flags, and says which secrets it needs', async () => {
    await create('plant', {
      kind: 'existing',
      node: ['board-1:1:agx-desktop', 'board-2:2', 'board-3'],
      registry: 'registry.example.org/berth',
      username: 'me',
      platform: ['linux/arm64'],
      system: ['eventScaling'],
      safety: 'strict',
      yes: true,
    });
    const { cluster, nodes, images, systems, safety } = configOf('plant');
    assert.equal(cluster.kind, 'existing');
    assert.deepEqual(
      nodes.map(({ name, slot, labels }) => [name, slot, labels]),
      [
        ['board-1', 1, { device: 'agx-desktop' }],
        ['board-2', 2, {}],
        ['board-3', undefined, {}],
      ],
    );
    assert.deepEqual(
      [images.registry, images.platforms],
      ['registry.example.org/berth', ['linux/arm64']],
    );
    assert.deepEqual([systems.cpuScheduling.enabled, systems.eventScaling.enabled], [false, true]);
    assert.equal(safety, 'strict');
    const said = printed.join('\n');
    assert.match(said, /--secret berth:kubeconfig -s plant/);
    assert.match(said, /--secret berth:registryPassword -s plant/);
  });

  it('asks where there is a terminal, from what the flags say already', async () => {
    await create('asked', { extends: 'dev' }, { kind: 'docker', safety: 'strict' });
    const config = configOf('asked');
    assert.equal(config.extends, 'dev');
    assert.equal(config.cluster.docker.name, 'berth-asked');
    assert.equal(config.nodes.length, 3);
    assert.equal(config.systems.eventScaling.mode, 'once');
    assert.equal(config.safety, 'strict');
  });

  it('writes nothing that is not valid, and says all that is wrong', async () => {
    const node = ['a:11', 'b:2', 'b:2'];
    await assert.rejects(create('bad', { node, platform: ['linux/s390x'], yes: true }), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /berth:nodes\[0\]\.slot: 11 is not in 1\.\.10/);
      assert.match(error.message, /berth:nodes\[2\]\.name: "b" is taken by nodes\[1\]/);
      assert.match(error.message, /berth:images\.platforms\[0\]/);
      return true;
    });
    await assert.rejects(create('bad', { extends: 'none', yes: true }), /no Pulumi\.none\.yaml/);
    await assert.rejects(create('bad', { kind: 'cloud', yes: true }), /docker, existing/);
    await assert.rejects(create('bad', { node: ['a:one'], yes: true }), /NAME\[:SLOT/);
    assert.equal(existsSync(join(projectDir, 'Pulumi.bad.yaml')), false);
  });

  it('leaves a stack that is there as it is', async () => {
    const before = readFileSync(join(projectDir, 'Pulumi.dev.yaml'), 'utf8');
    await assert.rejects(create('dev', { yes: true }), /there already/);
    assert.equal(readFileSync(join(projectDir, 'Pulumi.dev.yaml'), 'utf8'), before);
    assert.throws(() => stackFolder(projectDir, '../x'), UserError);
  });
});
