import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import type { EngineEvent } from '@pulumi/pulumi/automation';
import { parseEstateConfig } from '../../components/config';
import { SshCluster } from '../../components/hosts/ssh-cluster';
import { approvalKey } from '../../runtime/cli/preview-report/approval';
import { reportOf, requireApproval } from '../../runtime/cli/safety';
import { sampleApi, type ApiSampler } from './support/api-sampler';
import { startEngine, type Engine } from './support/engine';
import { eventually } from './support/kube';
import { apiPort, startLabHosts, type LabHosts } from './support/ssh-hosts';

const SERVERS = ['quay-1', 'quay-2', 'quay-3'] as const;
const [FIRST, SECOND, THIRD] = SERVERS;
const [OLD, NEW] = ['v1.36.2+k3s1', 'v1.36.3+k3s1'] as const;
const CONFIG_MAP = '/api/v1/namespaces/default/configmaps/kept';
const LIMIT_MS = 600_000;

interface Change {
  readonly version?: string;
  readonly servers?: readonly string[];
}

describe('three k3s servers with embedded etcd, on hosts over a real sshd', function () {
  this.timeout(1_200_000);
  let lab: LabHosts;
  let engine: Engine;
  const sums: Record<string, string> = {};

  before(async function () {
    this.timeout(3_600_000);
    engine = await startEngine('command');
    lab = await startLabHosts(SERVERS, SERVERS.length);
    for (const version of [OLD, NEW]) sums[version] = await lab.addRelease(version);
  });
  after(async () => {
    await lab?.stop();
    await engine?.stop();
  });

  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const stack = ({ version = OLD, servers = SERVERS }: Change) =>
    engine.stack(async () => {
      const hosts = lab.hosts
        .filter(({ name }) => servers.includes(name))
        .map((host) => ({ ...host, arch, role: 'server' }));
      const ssh = { version, mirror: lab.mirror, sha256: { [arch]: sums[version] }, hosts };
      const { cluster } = parseEstateConfig({
        values: { cluster: { kind: 'ssh', ssh } },
        keys: ['cluster'],
        secrets: new Set(['clusterToken', 'agentToken', 'sshPrivateKey']),
      });
      const { kubeconfig } = new SshCluster('cluster', {
        ssh: cluster.ssh,
        token: pulumi.secret('server-token'),
        agentToken: pulumi.secret('agent-token'),
        privateKey: pulumi.secret(lab.privateKey),
        privateKeys: { [THIRD]: pulumi.secret(lab.lastPrivateKey) },
      });
      return { kubeconfig };
    });
  const up = async (change: Change = {}, onEvent?: (event: EngineEvent) => void) =>
    (await stack(change)).up({ onOutput: () => undefined, ...(onEvent ? { onEvent } : {}) });
  const kubectl = (server: string, args: string) => lab.on(server, `k3s kubectl ${args}`);
  const nodes = async (server: string) =>
    (await kubectl(server, 'get nodes -o name')).split('\n').map((line) => line.slice(5));
  const versions = () =>
    Promise.all(
      SERVERS.map(async (host) => /v\d\S+/.exec(await lab.on(host, 'k3s --version'))?.[0]),
    );
  /** Nodes whose members of etcd have a vote, as one of them says. */
  const voters = async (server: string) =>
    (await lab.on(server, 'etcdctl member list'))
      .split('\n')
      .filter((line) => line.endsWith(', false'))
      .map((line) => /, ([^,]*)-[0-9a-f]{8}, /.exec(line)?.[1])
      .sort();
  const sampled = async (): Promise<ApiSampler> => {
    const urls = lab.hosts.map(({ address }, index) => `https://${address}:${apiPort(index)}`);
    return sampleApi(await lab.on(FIRST, 'cat /etc/rancher/k3s/k3s.yaml'), urls, CONFIG_MAP);
  };
  const isReady = (server: string) =>
    kubectl(server, 'get --raw /readyz').then(
      (text) => text.trim() === 'ok',
      () => false,
    );

  it('come up one after the other, each a member with a vote', async () => {
    const { outputs } = await up();
    assert.match(String(outputs.kubeconfig?.value), /server: https:\/\/[\d.]+:6443/);
    for (const server of SERVERS) {
      assert.deepEqual(await voters(server), [...SERVERS]);
      assert.deepEqual(await nodes(server), [...SERVERS]);
    }
    const ready = `get nodes -o 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'`;
    assert.equal(await kubectl(THIRD, ready), 'True True True');
  });

  it('change nothing when they come up again', async () => {
    const { summary } = await up();
    assert.deepEqual(Object.keys(summary.resourceChanges ?? {}), ['same']);
  });

  it('go on without the one that others joined, where that is killed, and with what was written before', async () => {
    await kubectl(FIRST, 'create configmap kept --from-literal=written=before');
    await lab.engine.docker('kill', '--signal', 'KILL', FIRST);
    for (const server of [SECOND, THIRD])
      await eventually(
        `${server} without ${FIRST}`,
        async () => /before/.test(await kubectl(server, `get --raw ${CONFIG_MAP}`)),
        LIMIT_MS,
      );
    await kubectl(SECOND, 'create configmap meanwhile');
    await lab.engine.docker('start', FIRST);
    await eventually(`${FIRST} again`, () => isReady(FIRST), LIMIT_MS);
    assert.match(await kubectl(FIRST, 'get configmap meanwhile -o name'), /meanwhile/);
    assert.deepEqual(await voters(FIRST), [...SERVERS]);
  });

  it('stop the roll at one that does not come back, and the others go on', async () => {
    const program = '/usr/local/bin/kube-apiserver';
    await lab.on(SECOND, `mv ${program} ${program}.away`);
    const sampler = await sampled();
    await assert.rejects(up({ version: NEW }), /quay-2-k3s[^]*k3s did not start/);
    await sampler.stop();
    assert.deepEqual(await versions(), [NEW, NEW, OLD]);
    assert.deepEqual(await Promise.all(SERVERS.map(isReady)), [true, false, true]);
    assert.deepEqual(sampler.refused, []);
    assert.ok(sampler.taken > 0);
    await lab.on(SECOND, `mv ${program}.away ${program}`);
  });

  it('are upgraded one at a time, and the API takes writes throughout', async () => {
    const order: string[] = [];
    const sampler = await sampled();
    await up({ version: NEW }, ({ resOutputsEvent }) => {
      const name = resOutputsEvent?.metadata.urn.split('::').at(-1) ?? '';
      if (resOutputsEvent?.metadata.op === 'update' && /-(k3s|ready)$/.test(name)) order.push(name);
    });
    await sampler.stop();
    const rolled = [SECOND, THIRD].flatMap((server) => [`${server}-k3s`, `${server}-ready`]);
    assert.deepEqual(order, rolled);
    assert.deepEqual(await versions(), [NEW, NEW, NEW]);
    assert.deepEqual(sampler.refused, []);
    assert.ok(sampler.taken > 0);
    for (const server of SERVERS) assert.deepEqual(await voters(server), [...SERVERS]);
  });

  const one = { version: NEW, servers: [SECOND] };

  it('are not made fewer than three unless that is approved', async () => {
    const events: EngineEvent[] = [];
    await (await stack(one)).preview({ onEvent: (event) => void events.push(event) });
    const budget = { nodes: 10, pods: 10 };
    const report = reportOf(events, { budget });
    const strict = { safety: 'strict', budget } as const;
    assert.throws(
      () => requireApproval(report, strict),
      /leaves 1 of 3 servers \(without quay-1, quay-3\)/,
    );
    requireApproval(report, strict, approvalKey(report.dangers));
  });

  it('leave etcd before they go, the one that others joined too, so that the last one goes on', async () => {
    await up(one);
    assert.deepEqual(await voters(SECOND), [SECOND]);
    assert.deepEqual(await nodes(SECOND), [SECOND]);
    assert.match(await kubectl(SECOND, 'get configmap meanwhile -o name'), /meanwhile/);
    const rest = 'ls /usr/local/bin/k3s /var/lib/rancher/k3s 2>/dev/null; pgrep etcd; true';
    for (const server of [FIRST, THIRD])
      await eventually(
        `nothing of k3s on ${server}`,
        async () => (await lab.on(server, rest)) === '',
        LIMIT_MS,
      );
  });

  it('put back what a snapshot of etcd has', async () => {
    await kubectl(SECOND, 'create configmap in-the-snapshot');
    await lab.on(SECOND, 'k3s etcd-snapshot save --name before-upgrade');
    const listed = await lab.on(SECOND, 'k3s etcd-snapshot ls');
    const file = /file:\/\/(\S+\/before-upgrade-\S+)/.exec(listed)?.[1] ?? assert.fail(listed);
    await kubectl(SECOND, 'delete configmap in-the-snapshot');
    await kubectl(SECOND, 'create configmap after-the-snapshot');
    const reset = `k3s server --cluster-reset --cluster-reset-restore-path=${file}`;
    await lab.on(SECOND, `systemctl stop k3s && ${reset} && systemctl start k3s`);
    await eventually(`${SECOND} again`, () => isReady(SECOND), LIMIT_MS);
    const maps = await kubectl(SECOND, 'get configmaps -o name');
    assert.match(maps, /in-the-snapshot/);
    assert.doesNotMatch(maps, /after-the-snapshot/);
    assert.deepEqual(await voters(SECOND), [SECOND]);
  });
});
