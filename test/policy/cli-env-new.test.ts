import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEstateConfig, SECRET_KEYS } from '../../components/config';
import { stackFileValues, withInherited } from '../../components/inheritance';
import { envNew, type EnvNewOptions } from '../../runtime/cli/commands/env-new';
import { answersOf, type Answers } from '../../runtime/cli/new-env/answers';
import { askHosts, type Terminal } from '../../runtime/cli/new-env/host-questions';
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

  const KEY = `ssh-ed25519 ${'A'.repeat(68)}`;
  const SUM = 'ab'.repeat(32);

  it('writes hosts over SSH from flags, with keys as ssh-keyscan prints them', async () => {
    const keys = join(projectDir, 'keys');
    writeFileSync(
      keys,
      [
        '# board-1:2222 SSH-2.0-OpenSSH_9.9',
        `[192.0.2.11]:2222 ssh-rsa ${'B'.repeat(68)}`,
        `[192.0.2.11]:2222,board-1 ${KEY}`,
        `192.0.2.11 ssh-ed25519 ${'C'.repeat(68)}`,
      ].join('\n'),
    );
    await create('yard', {
      server: ['quay=192.0.2.1,arch=amd64'],
      agent: ['board-1=pi@192.0.2.11:2222,slot=1,device=agx'],
      hostKey: [`quay=${KEY} root@quay`],
      knownHosts: keys,
      sha256: [`amd64=${SUM}`, `arm64=${SUM}`],
      k3sVersion: 'v1.36.2+k3s1',
      yes: true,
    });
    const { cluster, nodes } = configOf('yard');
    const { hosts, version } = cluster.ssh;
    assert.deepEqual([cluster.kind, version], ['ssh', 'v1.36.2+k3s1']);
    assert.deepEqual(
      hosts.map(({ name, role, arch, user, port, hostKey }) => [
        name,
        role,
        arch,
        user,
        port,
        hostKey,
      ]),
      [
        ['quay', 'server', 'amd64', 'root', 22, `${KEY} root@quay`],
        ['board-1', 'agent', 'arm64', 'pi', 2222, KEY],
      ],
    );
    assert.deepEqual([nodes[1]?.slot, nodes[1]?.labels], [1, { device: 'agx' }]);
    assert.match(printed.join('\n'), /berth:agentToken[^]*berth:sshPrivateKey/);
  });

  it('refuses hosts without a key, a checksum or a form, each with its place', async () => {
    const server = ['quay=192.0.2.1'];
    await assert.rejects(create('bad', { server, yes: true }), (error) => {
      assert.match(String(error), /hosts\[0\]\.hostKey: .*ssh-keyscan/);
      return true;
    });
    const hostKey = [`quay=${KEY}`];
    await assert.rejects(create('bad', { server, hostKey, yes: true }), /ssh\.sha256\.arm64/);
    for (const text of ['quay', 'quay=a@b@c', 'quay=a:port', 'quay=a,slot=x', 'quay=a,arch=mips'])
      await assert.rejects(create('bad', { server: [text], yes: true }), UserError, text);
    await assert.rejects(create('bad', { server, hostKey: ['none=x'] }), /no --server/);
    assert.equal(existsSync(join(projectDir, 'Pulumi.bad.yaml')), false);
  });

  it('asks for hosts until there are no more, and for the key of one that came without', async () => {
    const answers = [
      ...['y', 'board-1', 'agent', '192.0.2.11', '2222', 'pi', 'arm64', '1', 'agx', KEY],
      ...['n', '', SUM, SUM],
    ];
    const next = () => answers.shift() ?? assert.fail('it asks on');
    const ask = {
      input: () => Promise.resolve(next()),
      select: () => Promise.resolve(next()),
      confirm: () => Promise.resolve(next() === 'y'),
    } as unknown as Terminal;
    const known = answersOf({ server: ['quay=192.0.2.1,arch=amd64'] }).ssh;
    answers.unshift(KEY);
    const ssh = await askHosts(ask, known);
    assert.deepEqual(answers, []);
    await create('asked', {}, { kind: 'ssh', ssh });
    const { hosts, sha256 } = configOf('asked').cluster.ssh;
    assert.deepEqual(sha256, { amd64: SUM, arm64: SUM });
    assert.deepEqual(
      hosts.map(({ name, port, user, slot }) => [name, port, user, slot]),
      [
        ['quay', 22, 'root', undefined],
        ['board-1', 2222, 'pi', 1],
      ],
    );
  });

  it('leaves a stack that is there as it is', async () => {
    const before = readFileSync(join(projectDir, 'Pulumi.dev.yaml'), 'utf8');
    await assert.rejects(create('dev', { yes: true }), /there already/);
    assert.equal(readFileSync(join(projectDir, 'Pulumi.dev.yaml'), 'utf8'), before);
    assert.throws(() => stackFolder(projectDir, '../x'), UserError);
  });
});
