import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parse } from 'yaml';
import { run } from '../lab/exec';
import { ownCgroup } from '../lab/k3s/entrypoint/cgroup';
import { apiserverSans } from '../lab/k3s/entrypoint/control-plane';
import { loopbackServer } from '../lab/k3s/entrypoint/dns-forwarder';
import { addressAt, parseNodeOptions } from '../lab/k3s/entrypoint/flags';
import { checkJoinRequest, parseToken, supervisorUrl } from '../lab/k3s/entrypoint/join-protocol';
import { parseMembers } from '../lab/k3s/entrypoint/etcd-client';
import { memberStep } from '../lab/k3s/entrypoint/etcd-nodes';
import { kubeletConfig } from '../lab/k3s/entrypoint/kubelet-config';
import { wantedRoutes } from '../lab/k3s/entrypoint/nodes';
import { hostsToml } from '../lab/k3s/entrypoint/registries';
import { tarWith } from '../lab/k3s/tar';

const agentEnv = { K3S_URL: 'https://server:6443', K3S_TOKEN: 'secret' };
const agent = (...args: string[]) => parseNodeOptions(['agent', ...args], agentEnv, 'host');
const server = (...args: string[]) => parseNodeOptions(['server', ...args], {}, 'host');

describe('lab k3s: flags', () => {
  it('reads an agent from its environment, as rancher/k3s does', () => {
    const options = parseNodeOptions(['agent'], { ...agentEnv, K3S_NODE_NAME: 'node-1' }, 'host');
    assert.equal(options.serverUrl, 'https://server:6443');
    assert.equal(options.token, 'secret');
    assert.equal(options.nodeName, 'node-1');
  });

  it('lets flags win over the environment, and the host name stand in for a node name', () => {
    assert.equal(agent('--token', 'other').token, 'other');
    assert.equal(agent('--node-name=Node-2').nodeName, 'node-2');
    assert.equal(agent().nodeName, 'host');
  });

  it('keeps kubelet arguments whole, commas and equal signs included', () => {
    const options = agent('--kubelet-arg=system-reserved=cpu=500m,memory=1Gi');
    assert.deepEqual(options.kubeletArgs, ['system-reserved=cpu=500m,memory=1Gi']);
  });

  it('collects labels, taints and certificate names, repeated or with commas', () => {
    const options = server('--node-label=a=b', '--node-label', 'c=d,e=', '--tls-san=x,10.0.0.1');
    assert.deepEqual(options.nodeLabels, ['a=b', 'c=d', 'e=']);
    assert.deepEqual(options.tlsSans, ['x', '10.0.0.1']);
    assert.deepEqual(agent('--node-taint=k=v:NoSchedule').nodeTaints, ['k=v:NoSchedule']);
  });

  it('has the defaults of k3s for ranges, port and kubeconfig', () => {
    const options = server();
    assert.equal(options.clusterCidr, '10.42.0.0/16');
    assert.equal(options.serviceCidr, '10.43.0.0/16');
    assert.equal(options.httpsPort, 6443);
    assert.equal(options.kubeconfig, '/etc/rancher/k3s/k3s.yaml');
    assert.equal(options.kubeconfigMode, 0o600);
  });

  it('enforces network policies where the lab asks for it, unless its server is told not to', () => {
    const env = { K3S_LAB_NETWORK_POLICIES: 'enforced' };
    const enforces = (...args: string[]) =>
      parseNodeOptions(['server', ...args], env, 'host').enforcesNetworkPolicies;
    assert.equal(server().enforcesNetworkPolicies, false);
    assert.equal(enforces(), true);
    assert.equal(enforces('--disable-network-policy'), false);
    assert.throws(() => agent('--disable-network-policy'), /not a flag of k3s agent/);
  });

  it('writes the kubeconfig where and how it is told', () => {
    const env = { K3S_KUBECONFIG_OUTPUT: '/output/kubeconfig', K3S_KUBECONFIG_MODE: '666' };
    const options = parseNodeOptions(['server'], env, 'host');
    assert.equal(options.kubeconfig, '/output/kubeconfig');
    assert.equal(options.kubeconfigMode, 0o666);
  });

  const refused: [string, () => unknown, RegExp][] = [
    ['an unknown flag', () => server('--flannel-backend=none'), /flannel-backend/],
    [
      'a server flag on an agent',
      () => agent('--tls-san=x'),
      /--tls-san is not a flag of k3s agent/,
    ],
    ['an unknown component to disable', () => server('--disable=coredns'), /--disable coredns/],
    ['an unknown command', () => parseNodeOptions(['etcd'], {}, 'h'), /unknown command etcd/],
    ['an agent without a server', () => parseNodeOptions(['agent'], {}, 'h'), /K3S_URL/],
    [
      'an agent without a token',
      () => parseNodeOptions(['agent'], { K3S_URL: 'https://s:1' }, 'h'),
      /K3S_TOKEN/,
    ],
    ['a plain http server', () => agent('--server=http://s:6443'), /not https/],
    ['a label without a value', () => agent('--node-label=a'), /--node-label a/],
    ['a taint without an effect', () => agent('--node-taint=a=b'), /--node-taint/],
    ['a port out of range', () => server('--https-listen-port=70000'), /70000/],
    ['a mode that is not octal', () => server('--write-kubeconfig-mode=999'), /999/],
    ['a node name that is no DNS name', () => agent('--node-name=a/CN=b'), /--node-name/],
  ];
  for (const [what, parseIt, message] of refused)
    it(`refuses ${what}`, () => assert.throws(parseIt, message));

  it('accepts that what is not there anyway is disabled', () => {
    assert.doesNotThrow(() => server('--disable=traefik,servicelb', '--disable', 'metrics-server'));
  });
});

describe('lab k3s: addresses and certificates', () => {
  it('counts addresses within a range', () => {
    assert.equal(addressAt('10.43.0.0/16', 10), '10.43.0.10');
    assert.equal(addressAt('10.96.0.0/12', 257), '10.96.1.1');
    assert.throws(() => addressAt('fd00::/64', 1), /fd00/);
  });

  it('puts the service address, the node and the extra names into the certificate, once each', () => {
    const sans = apiserverSans(server('--tls-san=berth-dev-server,host'), '172.18.0.2', 'host');
    for (const name of ['10.43.0.1', '172.18.0.2', 'host', 'berth-dev-server', '127.0.0.1'])
      assert.equal(sans.filter((san) => san === name).length, 1, name);
  });
});

describe('lab k3s: registries.yaml', () => {
  it('turns mirrors into hosts.toml, plain http included', () => {
    const files = hostsToml('mirrors:\n  docker.io:\n    endpoint: ["http://10.0.0.1:5000"]\n');
    assert.deepEqual([...files.keys()], ['docker.io']);
    const text = files.get('docker.io') ?? '';
    assert.match(text, /^server = "https:\/\/registry-1\.docker\.io"$/m);
    assert.match(text, /^\[host\."http:\/\/10\.0\.0\.1:5000"\]$/m);
    assert.match(text, /capabilities = \["pull", "resolve"\]/);
  });

  it('maps the mirror of everything to _default, which has no registry of its own', () => {
    const text = hostsToml('mirrors: {"*": {endpoint: ["https://m"]}}').get('_default') ?? '';
    assert.doesNotMatch(text, /^server/m);
    assert.match(text, /host\."https:\/\/m"/);
  });

  it('skips verification only where configs says so', () => {
    const yaml =
      'mirrors: {a.b: {endpoint: ["https://m:5", "https://n:5"]}}\nconfigs: {"m:5": {tls: {insecure_skip_verify: true}}}';
    const text = hostsToml(yaml).get('a.b') ?? '';
    assert.equal(text.match(/skip_verify/g)?.length, 1);
    assert.ok(text.indexOf('skip_verify') < text.indexOf('n:5'));
  });

  it('takes an absent or empty file, and refuses unknown keys and other schemes', () => {
    assert.equal(hostsToml('').size, 0);
    assert.throws(() => hostsToml('mirror: {}'), /unknown key mirror/);
    assert.throws(
      () => hostsToml('mirrors: {a: {endpoint: ["ftp://x"]}}'),
      /neither http nor https/,
    );
  });
});

describe('lab k3s: node', () => {
  it('finds its own cgroup in both kinds of hierarchy', () => {
    const v1 =
      '9:name=systemd:/berth-1/abc\n4:memory:/berth-1/abc\n2:cpuacct,cpu:/berth-1/abc\n0::/x\n';
    assert.equal(ownCgroup(v1), '/berth-1/abc');
    assert.equal(ownCgroup('0::/docker/abc/init\n'), '/docker/abc');
    assert.throws(() => ownCgroup('0::/\n'), /cgroupns=host/);
  });

  it('roots the pods in that cgroup and leaves the kubelet closed to strangers', () => {
    const files = { caFile: '/ca', servingCert: '/c', servingKey: '/k' };
    const text = kubeletConfig({ cgroupRoot: '/docker/abc', clusterDns: '10.43.0.10', ...files });
    const config = parse(text) as {
      cgroupRoot: string;
      clusterDNS: string[];
      authentication: { anonymous: { enabled: boolean } };
      authorization: { mode: string };
    };
    assert.equal(config.cgroupRoot, '/docker/abc');
    assert.deepEqual(config.clusterDNS, ['10.43.0.10']);
    assert.equal(config.authentication.anonymous.enabled, false);
    assert.equal(config.authorization.mode, 'Webhook');
  });

  it('routes each other node’s pods by that node, and none to itself or to a node without a range', () => {
    const node = (name: string, podCIDR: string | undefined, address: string) => ({
      metadata: { name },
      spec: podCIDR === undefined ? {} : { podCIDR },
      status: {
        addresses: [
          { type: 'Hostname', address: name },
          { type: 'InternalIP', address },
        ],
      },
    });
    const nodes = [
      node('a', '10.42.0.0/24', '1.1.1.1'),
      node('b', '10.42.1.0/24', '1.1.1.2'),
      node('c', undefined, '1.1.1.3'),
    ];
    assert.deepEqual([...wantedRoutes(nodes, 'a')], [['10.42.1.0/24', '1.1.1.2']]);
  });

  it('passes DNS on only where the name server is out of a pod’s reach', () => {
    assert.equal(
      loopbackServer('search x\nnameserver 127.0.0.11\noptions ndots:0\n'),
      '127.0.0.11',
    );
    assert.equal(loopbackServer('nameserver 10.0.0.2\n'), undefined);
  });
});

describe('lab k3s: joining', () => {
  it('reads short and full tokens', () => {
    const hash = 'ab'.repeat(32);
    assert.deepEqual(parseToken('secret'), { secret: 'secret' });
    assert.deepEqual(parseToken(`K10${hash}::server:a:b`), { caHash: hash, secret: 'a:b' });
  });

  it('finds the supervisor on the port after the API server’s', () => {
    assert.equal(supervisorUrl('https://server:6443'), 'https://server:6444');
    assert.equal(supervisorUrl('https://server'), 'https://server:444');
  });

  it('refuses a request that would put something else into a certificate', () => {
    const good = { nodeName: 'node-1', nodeAddress: '172.18.0.3', nodePassword: 'x'.repeat(32) };
    assert.deepEqual(checkJoinRequest(good), good);
    for (const bad of [
      { nodeName: 'a/O=system:masters' },
      { nodeAddress: '1.2.3.4,DNS:evil' },
      { nodePassword: 'short' },
      { nodeName: 7 },
    ])
      assert.throws(() => checkJoinRequest({ ...good, ...bad }));
    assert.throws(() => checkJoinRequest(null));
  });
});

describe('lab k3s: members of etcd', () => {
  const name = 'etcd.k3s.cattle.io/node-name';
  const address = 'etcd.k3s.cattle.io/node-address';
  const remove = 'etcd.k3s.cattle.io/remove';
  const removed = 'etcd.k3s.cattle.io/removed-node-name';
  const member = { [name]: 'a-1', [address]: '10.0.0.1' };
  const step = (annotations: Record<string, string>, more = {}) =>
    memberStep({ metadata: { name: 'a', annotations, ...more } });

  it('are read as etcdctl lists them, those that have not started yet too', () => {
    const text =
      '8e, started, a-1, https://10.0.0.1:2380, https://10.0.0.1:2379, false\n' +
      '9f, unstarted, , https://10.0.0.2:2380, , true\n';
    const [first, second] = parseMembers(text);
    assert.deepEqual([first?.id, first?.name, first?.isLearner], ['8e', 'a-1', false]);
    assert.equal(first?.clientUrl, 'https://10.0.0.1:2379');
    assert.deepEqual([second?.name, second?.clientUrl, second?.isLearner], ['', '', true]);
  });

  it('leave once when asked for by annotation, and may come again under another name', () => {
    assert.equal(step(member), undefined);
    assert.equal(step({ ...member, [remove]: 'false' }), undefined);
    assert.deepEqual(step({ ...member, [remove]: 'true' }), {
      remove: { name: 'a-1', address: '10.0.0.1' },
      patch: { annotations: { [removed]: 'a-1', [name]: null, [address]: null } },
    });
    assert.equal(step({ [remove]: 'true', [removed]: 'a-1' }), undefined);
    assert.deepEqual(step({ ...member, [remove]: 'true', [removed]: 'a-0' }), {
      patch: { annotations: { [removed]: null, [remove]: 'false' } },
    });
  });

  it('leave with their Node, which is held until then', () => {
    const finalizers = ['another', 'wrangler.cattle.io/managed-etcd-controller'];
    const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers };
    assert.deepEqual(step(member, deleted), {
      remove: { name: 'a-1', address: '10.0.0.1' },
      patch: { finalizers: ['another'] },
    });
    assert.deepEqual(step({ [removed]: 'a-1' }, deleted), { patch: { finalizers: ['another'] } });
    assert.equal(step(member, { ...deleted, finalizers: ['another'] }), undefined);
  });
});

describe('lab k3s: image archive', () => {
  it('joins an archive and further files into one, with no end mark between them', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'lab-k3s-'));
    try {
      await mkdir(path.join(folder, 'root/etc'), { recursive: true });
      await mkdir(path.join(folder, 'more/usr/bin'), { recursive: true });
      // A file whose content looks like the end of an archive.
      await writeFile(path.join(folder, 'root/etc/zeros'), Buffer.alloc(2048));
      await writeFile(path.join(folder, 'tool'), 'tool', { mode: 0o644 });
      await symlink(path.join(folder, 'tool'), path.join(folder, 'more/usr/bin/tool'));
      const first = path.join(folder, 'root.tar');
      await run('tar', ['-c', '-f', first, '-C', path.join(folder, 'root'), '.']);
      const joined = path.join(folder, 'joined.tar');
      const archive = tarWith(first, path.join(folder, 'more'), ['usr/bin/tool']);
      await pipeline(archive, createWriteStream(joined));
      const { stdout } = await run('tar', ['-t', '-f', joined]);
      assert.deepEqual(stdout.trim().split('\n'), ['./', './etc/', './etc/zeros', 'usr/bin/tool']);
      const { stdout: tool } = await run('tar', ['-t', '-v', '-f', joined, 'usr/bin/tool']);
      assert.match(tool, /^-rwxr-xr-x 0\/0 +4 /);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('ends the command that reads it with an error that says so, when a file is not there', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'lab-k3s-'));
    try {
      const root = path.join(folder, 'root.tar');
      await run('tar', ['-c', '-f', root, '-T', '/dev/null']);
      const archive = tarWith(root, folder, ['usr/bin/missing']);
      await assert.rejects(
        run('sha256sum', ['-'], { input: archive }),
        /standard input of `sha256sum -`: tar ended with 2/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
