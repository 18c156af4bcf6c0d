import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { mendEngineLocks } from '../../runtime/cli/engine-lock';
import { engineEnv, generateProject, prepareStack } from '../../runtime/cli/project';
import { mergeStackSettings } from '../../runtime/cli/project-config';
import { deepMerge } from '../../runtime/shared/deep-merge';
import { holdStack } from '../../runtime/cli/run-lock';
import { requireStackConfig, stackFolder } from '../../runtime/cli/stack-folder';

const secure = (text: string) => ({ secure: text });

describe("the engine's copy of a stack's settings", () => {
  it('lays the overrides over the config, objects key by key and lists as a whole', () => {
    assert.deepEqual(
      deepMerge({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { c: [3], e: 2 }, d: undefined }),
      { a: { b: 1, c: [3], e: 2 }, d: 1 },
    );
  });

  it('keeps the salt and the secrets that only the copy holds', () => {
    const merged = mergeStackSettings(
      { config: { 'berth:nodes': [] } },
      { 'berth:images': { registry: 'lab:5000' } },
      {
        encryptionsalt: 'salt',
        config: { 'berth:clusterToken': secure('t'), 'berth:gone': 'plain' },
      },
    );
    assert.deepEqual(merged, {
      encryptionsalt: 'salt',
      config: {
        'berth:clusterToken': secure('t'),
        'berth:nodes': [],
        'berth:images': { registry: 'lab:5000' },
      },
    });
  });

  it('prefers a secret that the project itself sets, and drops what another salt encrypted', () => {
    const previous = { encryptionsalt: 'old', config: { 'berth:clusterToken': secure('old') } };
    assert.deepEqual(mergeStackSettings({ encryptionsalt: 'own', config: {} }, {}, previous), {
      encryptionsalt: 'own',
      config: {},
    });
    const own = { encryptionsalt: 'old', config: { 'berth:clusterToken': secure('new') } };
    assert.deepEqual(mergeStackSettings(own, {}, previous), own);
  });
});

describe("a stack's folder", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'berth-cli-'));
    writeFileSync(join(dir, 'Pulumi.yaml'), 'name: berth\nruntime: nodejs\n');
    writeFileSync(join(dir, 'Pulumi.dev.yaml'), 'config:\n  berth:nodes: []\n');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('refuses a name that would leave it, and a stack without a configuration', () => {
    for (const name of ['', '..', 'a/b', 'a b'])
      assert.throws(() => stackFolder(dir, name), /only letters, digits/);
    assert.throws(
      () => requireStackConfig(dir, 'prod'),
      /no Pulumi.prod.yaml; this project has: dev/,
    );
    requireStackConfig(dir, 'dev');
  });

  it('holds the generated project, and a passphrase that only its owner reads', () => {
    const folder = stackFolder(dir, 'dev');
    assert.equal(generateProject(folder, { 'berth:images': { registry: 'x' } }), false);
    assert.equal(statSync(folder.passphrase).mode & 0o777, 0o600);
    const passphrase = readFileSync(folder.passphrase, 'utf8');
    generateProject(folder, {});
    assert.equal(readFileSync(folder.passphrase, 'utf8'), passphrase);
    assert.deepEqual(parse(readFileSync(join(folder.project, 'Pulumi.yaml'), 'utf8')), {
      name: 'berth',
      runtime: 'nodejs',
      main: '../../..',
    });
  });

  it('is prepared once: the stack is made, and its token set as a secret through standard input', async () => {
    const folder = stackFolder(dir, 'dev');
    const engine = { pulumi: 'pulumi', env: engineEnv(folder, {}) };
    const calls: string[] = [];
    const copy = join(folder.project, 'Pulumi.dev.yaml');
    await prepareStack(folder, engine, {}, (_file, args, options) => {
      calls.push(args.slice(2, 4).join(' '));
      if (args.includes('config')) {
        assert.match(options?.input ?? '', /^[0-9a-f]{64}$/);
        writeFileSync(
          copy,
          'encryptionsalt: s\nconfig:\n  berth:clusterToken:\n    secure: encrypted\n',
        );
      } else {
        const stacks = join(folder.state, '.pulumi', 'stacks', 'berth');
        mkdirSync(stacks, { recursive: true });
        writeFileSync(join(stacks, 'dev.json'), '{}');
      }
      return Promise.resolve('');
    });
    assert.deepEqual(calls, ['stack select', 'config set']);
    await prepareStack(folder, engine, {}, () => assert.fail('nothing is left to do'));
    assert.match(readFileSync(copy, 'utf8'), /secure: encrypted/);
  });

  it("keeps the engine's state and passphrase, unless the user's own environment names others", () => {
    const folder = stackFolder(dir, 'dev');
    const own = { PULUMI_BACKEND_URL: 's3://bucket', PULUMI_CONFIG_PASSPHRASE: 'mine' };
    const apart = engineEnv(folder, own);
    assert.equal(apart.PULUMI_BACKEND_URL, `file://${folder.state}?metadata=skip`);
    assert.equal(apart.PULUMI_CONFIG_PASSPHRASE, undefined);
    assert.equal(apart.PULUMI_CONFIG_PASSPHRASE_FILE, folder.passphrase);
    const kept = engineEnv(folder, own, { ownBackend: true });
    assert.equal(kept.PULUMI_BACKEND_URL, 's3://bucket');
    assert.equal(kept.PULUMI_CONFIG_PASSPHRASE, 'mine');
  });

  it('is held by one run at a time, and the lock of a run that is no more is taken over', () => {
    const folder = stackFolder(dir, 'dev');
    const release = holdStack(folder, 'up');
    assert.throws(() => holdStack(folder, 'down'), /"up" is running \(process \d+\)/);
    release();
    const gone = { pid: process.pid, start: 'another start', command: 'up' };
    writeFileSync(folder.runLock, JSON.stringify(gone));
    holdStack(folder, 'down')();
    writeFileSync(folder.runLock, '{"pid":');
    holdStack(folder, 'down')();
    assert.equal(existsSync(folder.runLock), false);
  });

  it("loses the engine's locks of dead runs, and keeps those of others", () => {
    const folder = stackFolder(dir, 'dev');
    const locks = join(folder.state, '.pulumi', 'locks', 'organization', 'berth', 'dev');
    mkdirSync(locks, { recursive: true });
    const lock = (content: object) =>
      writeFileSync(join(locks, 'id.json'), JSON.stringify({ username: 'me', ...content }));
    assert.equal(mendEngineLocks(folder), 0);
    lock({ pid: 2 ** 22 + 1, hostname: hostname() });
    assert.equal(mendEngineLocks(folder), 1);
    // This process is alive, and no engine: the id has been used again.
    lock({ pid: process.pid, hostname: hostname() });
    assert.equal(mendEngineLocks(folder), 1);
    lock({ pid: 1, hostname: 'another-machine' });
    assert.throws(
      () => mendEngineLocks(folder),
      /an engine works on it \(process 1 of me@another-machine\)/,
    );
  });
});
