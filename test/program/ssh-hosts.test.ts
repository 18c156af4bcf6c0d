import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import { ConfigError, parseEstateConfig, type SecretKey } from '../../components/config';
import { declareCluster } from '../../components/hosts/cluster';
import { privateKeys } from '../../components/stack-config';
import { NodeSlots } from '../../components/node-slots';
import { only, record, type Declared } from './support/record';

const HOST_KEY = `ssh-ed25519 ${'A'.repeat(68)}`;
const SHA256 = 'ab'.repeat(32);
const SECRETS: readonly SecretKey[] = ['clusterToken', 'agentToken', 'sshPrivateKey'];
const REMOTE = 'command:remote:Command';

const board = (name: string, more: Record<string, unknown> = {}) => ({
  ...{ name, address: `${name}.example.org`, hostKey: HOST_KEY, arch: 'arm64' },
  ...more,
});
const quay = board('quay', { role: 'server', arch: 'amd64', address: '192.0.2.1' });
const HOSTS = [quay, board('board-1', { slot: 1, labels: { device: 'agx' } }), board('board-2')];

const parse = (ssh: Record<string, unknown>, secrets = SECRETS, more = {}) =>
  parseEstateConfig({
    values: {
      cluster: { kind: 'ssh', ssh: { sha256: { amd64: SHA256, arm64: SHA256 }, ...ssh } },
      ...more,
    },
    keys: ['cluster'],
    secrets: new Set(secrets),
  });

function problemsOf(...args: Parameters<typeof parse>): string {
  try {
    parse(...args);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.join('\n');
  }
  assert.fail('the configuration was accepted');
}

const declare = async (
  ssh: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Promise<readonly Declared[]> => {
  const { declared } = await record(() => {
    const config = parse({ hosts: HOSTS, ...ssh }, SECRETS, more);
    const cluster = declareCluster(config, {
      kubeconfig: undefined,
      token: pulumi.secret('server-secret'),
      agentToken: pulumi.secret('agent-secret'),
      sshPrivateKey: pulumi.secret('pem-secret'),
      hostKeys: { 'board-2': pulumi.secret('pem-secret-of-board-2') },
    });
    new NodeSlots('node', { cluster, nodes: config.nodes });
  });
  return declared;
};
const script = (declared: readonly Declared[], name: string, part = 'create'): string =>
  String(only(declared, REMOTE, name).inputs[part]);

describe('configuration of hosts over SSH', () => {
  it('makes the hosts the nodes of the estate', () => {
    const { nodes } = parse({ hosts: HOSTS });
    assert.deepEqual(
      nodes.map(({ name, slot }) => [name, slot]),
      [
        ['quay', undefined],
        ['board-1', 1],
        ['board-2', undefined],
      ],
    );
    assert.match(
      problemsOf({ hosts: HOSTS }, SECRETS, { nodes: [{ name: 'x' }] }),
      /berth:nodes: /,
    );
  });

  it('refuses a host without its key, and says how to get it', () => {
    const keyless = board('board-3', { hostKey: undefined });
    const problems = problemsOf({ hosts: [...HOSTS, keyless] });
    assert.match(problems, /^berth:cluster\.ssh\.hosts\[3\]\.hostKey: .*ssh-keyscan -t ed25519/);
  });

  it('tells all problems at once, each with its place', () => {
    const problems = problemsOf({
      sha256: { amd64: 'abc' },
      version: '1.36',
      hosts: [board('UPPER'), board('b', { hostKey: 'none', port: 0, user: 'a b' })],
    });
    for (const place of [
      ...['sha256.amd64', 'version', 'hosts[0].name', 'hosts[1].hostKey', 'hosts[1].port'],
      'hosts[1].user',
    ])
      assert.ok(problems.includes(`berth:cluster.ssh.${place}: `), `${place} in\n${problems}`);
  });

  it('wants an odd number of servers, checksums, and names, addresses and slots once', () => {
    const problems = problemsOf({
      sha256: {},
      hosts: [quay, { ...quay, name: 'other' }, board('b', { slot: 2 }), board('b', { slot: 2 })],
    });
    for (const problem of [
      /ssh\.hosts: .*has 2 hosts with role: server/,
      /ssh\.sha256\.amd64: must be set/,
      /ssh\.sha256\.arm64: must be set/,
      /hosts\[1\]\.address: .*is taken by hosts\[0\]/,
      /hosts\[3\]\.name: .*is taken by hosts\[2\]/,
      /hosts\[3\]\.slot: .*is taken by hosts\[2\]/,
    ])
      assert.match(problems, problem);
  });

  it('asks for a key of each host: its own, or the one that the others share', () => {
    const withKeys = (hostsWithKey: string[]) => () =>
      parseEstateConfig({
        values: {
          cluster: { kind: 'ssh', ssh: { sha256: { amd64: SHA256, arm64: SHA256 }, hosts: HOSTS } },
        },
        keys: ['cluster'],
        secrets: new Set(['clusterToken', 'agentToken']),
        hostsWithKey,
      });
    withKeys(['quay', 'board-1', 'board-2'])();
    assert.throws(withKeys(['quay', 'board-2']), /sshPrivateKey: must be set .*\(board-1\)/);
    assert.throws(
      withKeys(['quay', 'board-1', 'board-2', 'board-3']),
      /sshPrivateKeys\.board-3: is no host .*did you mean board-/,
    );
  });

  it('reads keys of hosts as secrets, and shows none that it refuses', async () => {
    const keys = privateKeys('{"quay":"pem-of-quay"}');
    assert.ok(keys.quay !== undefined && (await pulumi.isSecret(keys.quay)));
    for (const text of ['"pem"', '{"quay":{"deep":"pem"}}', '{"quay":""}'])
      assert.throws(
        () => privateKeys(text),
        (error) => error instanceof ConfigError && !error.message.includes('pem"'),
      );
  });

  it('asks for its three secrets', () => {
    const problems = problemsOf({ hosts: HOSTS }, []);
    for (const key of SECRETS) assert.match(problems, new RegExp(`berth:${key}: must be set`));
  });
});

describe('hosts over SSH', () => {
  it('are components that a preview knows, named as their nodes', async () => {
    const declared = await declare();
    const hosts = declared.filter(({ type }) => /K3s(Server|Agent)$/.test(type));
    assert.deepEqual(
      hosts.map(({ type, name }) => [type, name]),
      [
        ['berth:hosts:K3sServer', 'quay'],
        ['berth:hosts:K3sAgent', 'board-1'],
        ['berth:hosts:K3sAgent', 'board-2'],
      ],
    );
    assert.deepEqual(hosts[1]?.inputs.labels, {
      ...{ device: 'agx', 'posture/eligible': 'true', 'posture/slot': 'slot-1' },
    });
  });

  it('pin the key of the host in every connection', async () => {
    const remotes = (await declare()).filter(({ type }) => type === REMOTE);
    assert.ok(remotes.length >= 8);
    for (const { name, inputs } of remotes)
      assert.ok(JSON.stringify(inputs.connection).includes(HOST_KEY), name);
  });

  it('are each reached with a key of their own, or the one that is shared', async () => {
    const declared = await declare();
    const keyOf = (name: string) => JSON.stringify(only(declared, REMOTE, name).inputs.connection);
    assert.match(keyOf('board-2-k3s'), /"pem-secret-of-board-2"/);
    for (const name of ['quay-k3s', 'board-1-k3s', 'board-2-ready'])
      assert.match(keyOf(name), /"pem-secret"/);
  });

  it('say no secret outside of what is secret', async () => {
    const declared = await declare();
    const text = JSON.stringify(declared, (_key, value: unknown) =>
      value !== null && typeof value === 'object' && '4dabf18193072939515e22adb298388d' in value
        ? '[secret]'
        : value,
    );
    assert.doesNotMatch(text, /server-secret|agent-secret|pem-secret/);
    assert.ok(
      JSON.stringify(only(declared, REMOTE, 'quay-k3s').inputs.stdin).includes('agent-secret'),
    );
  });

  it('install the pinned release for their processor from the mirror', async () => {
    const declared = await declare({ mirror: 'https://mirror.example.org/k3s/' });
    const release = 'https://mirror.example.org/k3s/v1.36.3%2Bk3s1';
    assert.ok(script(declared, 'quay-k3s').includes(`${release}/k3s'`));
    assert.ok(script(declared, 'board-1-k3s').includes(`${release}/k3s-arm64'`));
  });

  it('install from a folder of the host alone where they have no network', async () => {
    const airGap = { directory: '/media/k3s', imagesSha256: { amd64: SHA256, arm64: SHA256 } };
    const text = script(await declare({ airGap }), 'board-1-k3s');
    assert.match(text, /\/media\/k3s\/k3s-arm64/);
    assert.match(text, /\/media\/k3s\/k3s-airgap-images-arm64\.tar\.zst/);
    assert.doesNotMatch(text, /curl|wget|https?:\/\/(?!k3s\.io|quay|192)/);
  });

  it('protect k3s on servers, where their datastore is, if that is asked', async () => {
    const hosts = [...HOSTS, ...['s-2', 's-3'].map((name) => board(name, { role: 'server' }))];
    const kept = async (protect: string) =>
      (await declare({ hosts }, { protect }))
        .filter((one) => one.protect)
        .map(({ name }) => name)
        .sort();
    assert.deepEqual(await kept('datastores'), ['quay-k3s', 's-2-k3s', 's-3-k3s']);
    assert.deepEqual(await kept(''), []);
  });

  it('run as root through sudo where they are reached as another user', async () => {
    const hosts = [quay, board('board-1', { user: 'pi' })];
    assert.match(script(await declare({ hosts }), 'board-1-k3s'), /^sudo -n sh -c '/);
  });

  it('have the same commands on every server, whichever is the first', async () => {
    const more = ['s-2', 's-3'].map((name) => board(name, { role: 'server' }));
    const commands = async (hosts: object[]) =>
      (await declare({ hosts }))
        .filter(({ type, inputs }) => type === REMOTE && inputs.delete !== undefined)
        .map(({ name, inputs }) => [name, inputs.delete])
        .sort();
    assert.deepEqual(await commands([...more, quay]), await commands([quay, ...more]));
    const alone = (await commands([quay])).map(([name]) => name);
    assert.deepEqual(alone, ['quay-k3s', 'quay-registration']);
  });

  it('forget a server on another one, and look after nodes on one that can be reached', async () => {
    const more = ['s-2', 's-3'].map((name) => board(name, { role: 'server' }));
    const hostOf = (declared: readonly Declared[], name: string) =>
      /"host":"([^"]+)"/.exec(JSON.stringify(only(declared, REMOTE, name).inputs.connection))?.[1];
    const declared = await declare({ hosts: [quay, ...more, board('board-1')] });
    assert.equal(hostOf(declared, 'quay-registration'), 's-2.example.org');
    assert.equal(hostOf(declared, 's-2-registration'), '192.0.2.1');
    assert.equal(hostOf(declared, 'board-1-ready'), '192.0.2.1');
    const dead = { ...quay, unreachable: true };
    const without = await declare({ hosts: [dead, ...more, board('board-1')] });
    for (const name of ['s-3-registration', 's-3-ready', 'board-1-ready', 'board-1-registration'])
      assert.equal(hostOf(without, name), 's-2.example.org');
    assert.equal(hostOf(without, 's-2-registration'), 's-3.example.org');
  });

  it('form a cluster of three servers that join the first one', async () => {
    const more = ['s-2', 's-3'].map((name) => board(name, { role: 'server' }));
    const declared = await declare({ hosts: [quay, ...more] });
    assert.match(script(declared, 'quay-k3s'), /"cluster-init": true/);
    for (const name of ['s-2', 's-3']) {
      assert.match(script(declared, `${name}-k3s`), /"server": "https:\/\/192\.0\.2\.1:6443"/);
      assert.match(script(declared, `${name}-registration`, 'delete'), /delete node s-/);
    }
  });
});
