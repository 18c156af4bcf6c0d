import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import { parseEstateConfig } from '../../components/config';
import { declareCluster } from '../../components/hosts/cluster';
import { NodeSlots } from '../../components/node-slots';
import { only, record, resolved } from './support/record';

const TOKEN = 'a-token-that-nobody-may-see';

const config = (values: Record<string, unknown> = {}) =>
  parseEstateConfig({
    values: {
      cluster: { docker: { name: 'quay', apiPort: 7443, hostCpus: 4, hostMemoryMb: 8192 } },
      nodes: [
        { name: 'node-1', slot: 1, labels: { device: 'agx-desktop' } },
        {
          name: 'node-2',
          eligible: false,
          cpus: 0.5,
          taints: [{ key: 'gpu', effect: 'NoSchedule' }],
        },
      ],
      ...values,
    },
    keys: ['cluster', 'nodes'],
    secrets: new Set(['clusterToken', 'kubeconfig']),
  });

const declare = (values?: Record<string, unknown>) =>
  record(() => {
    const estate = config(values);
    const cluster = declareCluster(estate, {
      token: pulumi.secret(TOKEN),
      kubeconfig: pulumi.secret('kind: Config'),
    });
    new NodeSlots('node', { cluster, nodes: estate.nodes });
    return cluster;
  });

/** Plain text of inputs; secrets arrive wrapped, and the wrapping is left out. */
const plainText = (inputs: unknown): string =>
  JSON.stringify(inputs, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && '4dabf18193072939515e22adb298388d' in value
      ? '[secret]'
      : value,
  );

describe('Docker hosts', () => {
  it('declares the server with its API published and its share of the machine', async () => {
    const { declared } = await declare();
    const server = only(declared, 'docker:index/container:Container', 'cluster-server').inputs;
    assert.equal(server.name, 'quay-server');
    assert.equal(server.cpus, '2');
    assert.deepEqual(server.ports, [
      { internal: 6443, external: 7443, ip: '127.0.0.1', protocol: 'tcp' },
    ]);
    assert.deepEqual(server.command, [
      'server',
      '--disable',
      'traefik',
      '--disable',
      'servicelb',
      '--tls-san',
      '127.0.0.1',
      '--kubelet-arg',
      'system-reserved=cpu=2000m,memory=5120Mi',
    ]);
  });

  it("protects the volume of the server's datastore, and no other, where that is asked", async () => {
    const kept = async (values: Record<string, unknown>) =>
      (await declare(values)).declared.filter(({ protect }) => protect).map(({ name }) => name);
    const volumePaths = ['/var/lib/kubelet', '/var/lib/rancher'];
    const cluster = { docker: { name: 'quay', volumePaths } };
    assert.deepEqual(await kept({ protect: 'datastores' }), ['cluster-server-var-lib-rancher-k3s']);
    assert.deepEqual(await kept({ protect: 'datastores', cluster }), [
      'cluster-server-var-lib-rancher',
    ]);
    for (const protect of ['none', '']) assert.deepEqual(await kept({ protect }), []);
  });

  it('declares each agent with its own limits', async () => {
    const { declared } = await declare();
    const agent = only(declared, 'docker:index/container:Container', 'cluster-node-2').inputs;
    assert.equal(agent.cpus, '0.5');
    assert.deepEqual(agent.command, [
      'agent',
      '--kubelet-arg',
      'system-reserved=cpu=3500m,memory=6144Mi',
    ]);
  });

  it('passes the token as a secret and in no plain text', async () => {
    const { declared } = await declare();
    const containers = declared.filter(({ type }) => type === 'docker:index/container:Container');
    assert.equal(containers.length, 3);
    for (const { name, inputs } of declared)
      assert.ok(!plainText(inputs).includes(TOKEN), `${name} shows the token`);
    for (const { inputs } of containers) assert.ok(JSON.stringify(inputs).includes(TOKEN));
  });

  it('yields a secret kubeconfig that points at the published address', async () => {
    const { result } = await declare();
    const { value, secret } = await resolved(result.kubeconfig);
    assert.ok(secret);
    assert.match(value, /server: https:\/\/127\.0\.0\.1:7443/);
  });

  it('drains a node before its container goes and forgets it after', async () => {
    const { declared } = await declare();
    const names = declared.map(({ name }) => name);
    const at = (name: string) => names.indexOf(name);
    assert.ok(at('cluster-node-1-registration') < at('cluster-node-1'));
    assert.ok(at('cluster-node-1') < at('cluster-node-1-ready'));
    const type = 'command:local:Command';
    assert.match(
      String(only(declared, type, 'cluster-node-1-ready').inputs.delete),
      /kubectl drain node-1 .*\n.*uncordon node-1/,
    );
    assert.match(
      String(only(declared, type, 'cluster-node-1-registration').inputs.delete),
      /delete node node-1 [^]*node-1\.node-password\.k3s/,
    );
  });

  it('takes an existing cluster from its kubeconfig and makes no host', async () => {
    const { declared } = await declare({
      cluster: { kind: 'existing', existing: { context: 'edge' } },
      nodes: [{ name: 'server', slot: 3 }],
    });
    assert.deepEqual(
      declared.map(({ type }) => type).filter((type) => !type.startsWith('berth:')),
      ['pulumi:providers:kubernetes', 'kubernetes:core/v1:NodePatch'],
    );
    assert.equal(only(declared, 'pulumi:providers:kubernetes').inputs.context, 'edge');
  });
});

describe('node slots', () => {
  it('sets slot, eligibility and labels on the node', async () => {
    const { declared } = await declare();
    const patch = only(declared, 'kubernetes:core/v1:NodePatch', 'node-node-1').inputs;
    assert.deepEqual(patch.metadata, {
      name: 'node-1',
      labels: {
        device: 'agx-desktop',
        'posture/eligible': 'true',
        'posture/slot': 'slot-1',
      },
      annotations: { 'pulumi.com/patchForce': 'true' },
    });
  });

  it('leaves a node without labels alone, and sets and removes its taints', async () => {
    const { declared } = await declare();
    assert.ok(!declared.some(({ name }) => name === 'node-node-2'));
    const taint = only(
      declared,
      'command:local:Command',
      'node-node-2-taint-gpu-noschedule',
    ).inputs;
    assert.match(String(taint.create), /kubectl taint node node-2 'gpu:NoSchedule' --overwrite/);
    assert.match(String(taint.delete), /kubectl taint node node-2 'gpu:NoSchedule-'/);
  });

  it('changes nothing but one node when a slot changes', async () => {
    const before = (await declare()).declared;
    const nodes = [
      { name: 'node-1', slot: 5, labels: { device: 'agx-desktop' } },
      config().nodes[1],
    ];
    const after = (await declare({ nodes })).declared;
    const changed = after.filter((one, index) => plainText(one) !== plainText(before[index]));
    assert.deepEqual(
      changed.map(({ name }) => name),
      ['node-node-1'],
    );
  });
});
