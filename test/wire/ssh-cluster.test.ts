import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import * as pulumi from '@pulumi/pulumi';
import type { EngineEvent, UpResult } from '@pulumi/pulumi/automation';
import { parseEstateConfig } from '../../components/config';
import { SshCluster } from '../../components/hosts/ssh-cluster';
import { startEngine, type Engine } from './support/engine';
import { killEngines } from './support/kill-engine';
import { sampleArguments, type ArgumentSamples } from './support/process-arguments';
import { startLabHosts, type LabHosts } from './support/ssh-hosts';
import { sshOperator } from './support/ssh-operator';

const TOKEN = 'server-token-that-must-not-show';
const AGENT_TOKEN = 'agent-token-that-must-not-show';
const NEXT_AGENT_TOKEN = 'next-agent-token-that-must-not-show';
const SERVER = 'quay-server';
const AGENTS = ['quay-1', 'quay-2'] as const;
const [OLD, NEW, LATEST] = ['v1.36.2+k3s1', 'v1.36.3+k3s1', 'v1.36.4+k3s1'] as const;
const WRONG_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZ6cGpmVnJqUmpXd3R0ZkxKVnZ1Zmd1d3R0cXB3';

interface Change {
  readonly version?: string;
  readonly agents?: readonly string[];
  /** What a host has besides. */
  readonly hosts?: Readonly<Record<string, Record<string, unknown>>>;
}

describe('k3s on hosts over a real sshd, by the real pulumi engine', function () {
  this.timeout(1_800_000);
  let lab: LabHosts;
  let engine: Engine;
  let samples: ArgumentSamples;
  let printed = '';
  let agentToken = AGENT_TOKEN;
  const sums: Record<string, string> = {};

  before(async function () {
    this.timeout(3_600_000);
    engine = await startEngine('command');
    lab = await startLabHosts([SERVER, ...AGENTS]);
    for (const version of [OLD, NEW, LATEST]) sums[version] = await lab.addRelease(version);
    samples = sampleArguments();
  });
  after(async () => {
    samples?.stop();
    await lab?.stop();
    await engine?.stop();
  });

  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const stack = ({ version = OLD, agents = AGENTS, hosts = {} }: Change) =>
    engine.stack(async () => {
      const { cluster } = parseEstateConfig({
        values: {
          cluster: {
            kind: 'ssh',
            ssh: {
              version,
              mirror: lab.mirror,
              sha256: { [arch]: sums[version] },
              drainTimeoutSeconds: 60,
              hosts: lab.hosts
                .filter(({ name }) => name === SERVER || agents.includes(name))
                .map((host) => ({
                  ...{ ...host, arch, role: host.name === SERVER ? 'server' : 'agent' },
                  ...hosts[host.name],
                })),
            },
          },
        },
        keys: ['cluster'],
        secrets: new Set(['clusterToken', 'agentToken', 'sshPrivateKey']),
      });
      const { kubeconfig } = new SshCluster('cluster', {
        ssh: cluster.ssh,
        token: pulumi.secret(TOKEN),
        agentToken: pulumi.secret(agentToken),
        privateKey: pulumi.secret(lab.privateKey),
        // The last host lets in a key of its own alone.
        privateKeys: { [AGENTS[1]]: pulumi.secret(lab.lastPrivateKey) },
      });
      return { kubeconfig };
    });
  const onOutput = (text: string) => (printed += text);
  const up = async (change: Change = {}, onEvent?: (event: EngineEvent) => void) =>
    (await stack(change)).up({ onOutput, ...(onEvent ? { onEvent } : {}) });
  const kubectl = (args: string) => lab.on(SERVER, `k3s kubectl ${args}`);
  const starts = async (host: string) => {
    const unit = host === SERVER ? 'k3s' : 'k3s-agent';
    return Number(await lab.on(host, `grep -c ': preparing$' /var/log/${unit}.log`));
  };
  const allStarts = () => Promise.all([SERVER, ...AGENTS].map(starts));

  it('comes up: a server, and agents that joined it with their own token', async () => {
    await up();
    const nodes = await kubectl(
      `get nodes -o 'jsonpath={range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}'`,
    );
    assert.deepEqual(nodes.trim().split(' ').sort(), [
      'quay-1=True',
      'quay-2=True',
      `${SERVER}=True`,
    ]);
    assert.match(await lab.on('quay-1', 'cat /etc/rancher/k3s/token'), /^K10[0-9a-f]{64}::node:/);
    assert.equal(await lab.on('quay-1', `stat -c '%a %U' /etc/rancher/k3s/token`), '600 root');
  });

  it('changes nothing when it comes up again', async () => {
    const before = await allStarts();
    assert.deepEqual(changes(await up()), {});
    assert.deepEqual(await allStarts(), before);
  });

  it('changes the one host that a label is changed of', async () => {
    const [server, one = 0, two = 0] = await allStarts();
    const touched: string[] = [];
    await up({ hosts: { 'quay-2': { labels: { device: 'agx' } } } }, (event) =>
      touched.push(...commandOf(event)),
    );
    assert.deepEqual(touched, ['quay-2-k3s']);
    assert.match(await lab.on('quay-2', 'cat /etc/rancher/k3s/config.yaml'), /"device=agx"/);
    assert.deepEqual(await allStarts(), [server, one, two + 1]);
    await up();
  });

  it('ends as it would have where a run is killed in the middle of a host, and another follows', async () => {
    const [server, one = 0, two = 0] = await allStarts();
    const labels = { labels: { device: 'nano' } };
    const change = { hosts: { 'quay-1': labels, 'quay-2': labels } };
    const killed = up(change, ({ resourcePreEvent }) => {
      if (resourcePreEvent?.metadata.urn.endsWith('::quay-1-k3s')) killEngines();
    });
    await assert.rejects(killed);
    await (await stack(change)).cancel();
    await up(change);
    for (const host of AGENTS)
      assert.match(await lab.on(host, 'cat /etc/rancher/k3s/config.yaml'), /"device=nano"/);
    assert.deepEqual(await allStarts(), [server, one + 1, two + 1]);
    assert.deepEqual(changes(await up(change)), {});
    const { deployment } = await (await stack(change)).exportStack();
    const { pending_operations: pending } = deployment as { pending_operations?: unknown[] };
    assert.equal(pending?.length ?? 0, 0);
  });

  it('rolls another version out host by host: the server first, then each agent, drained', async () => {
    const order: string[] = [];
    await up({ version: NEW }, (event) => order.push(...commandOf(event)));
    const rolled = order.filter((name) => /-(k3s|registration|ready)$/.test(name));
    const agent = (name: string) => [`${name}-registration`, `${name}-k3s`, `${name}-ready`];
    assert.deepEqual(rolled, [
      `${SERVER}-k3s`,
      `${SERVER}-ready`,
      ...agent('quay-1'),
      ...agent('quay-2'),
    ]);
    for (const name of AGENTS) assert.match(printed, new RegExp(`node/${name} drained`));
    for (const host of [SERVER, ...AGENTS])
      assert.match(await lab.on(host, 'k3s --version'), /v1\.36\.3\+k3s1/);
    assert.equal(await kubectl(`get nodes -o 'jsonpath={.items[*].spec.unschedulable}'`), '');
  });

  it('stops the roll at a host that fails, and those after it stay as they are', async () => {
    await lab.on('quay-1', 'mkdir /usr/local/bin/k3s.new');
    await assert.rejects(up({ version: LATEST }), /cannot fetch/);
    assert.match(await lab.on(SERVER, 'k3s --version'), /v1\.36\.4/);
    assert.match(await lab.on('quay-1', 'k3s --version'), /v1\.36\.3/);
    assert.match(await lab.on('quay-2', 'k3s --version'), /v1\.36\.3/);
    assert.equal(await kubectl(`get node quay-2 -o 'jsonpath={.spec.unschedulable}'`), '');
    await lab.on('quay-1', 'rmdir /usr/local/bin/k3s.new');
  });

  it('ends a roll as it would have ended where it was killed in the middle of a host', async () => {
    const [server, one = 0, two = 0] = await allStarts();
    const change = { version: LATEST };
    const killed = up(change, ({ resourcePreEvent }) => {
      if (resourcePreEvent?.metadata.urn.endsWith('::quay-1-k3s')) killEngines();
    });
    await assert.rejects(killed);
    assert.match(await lab.on('quay-2', 'k3s --version'), /v1\.36\.3/);
    await (await stack(change)).cancel();
    await up(change);
    for (const host of [SERVER, ...AGENTS])
      assert.match(await lab.on(host, 'k3s --version'), /v1\.36\.4/);
    assert.equal(await kubectl(`get nodes -o 'jsonpath={.items[*].spec.unschedulable}'`), '');
    assert.deepEqual(await allStarts(), [server, one + 1, two + 1]);
    assert.deepEqual(changes(await up(change)), {});
  });

  it('refuses a host that shows another key than the pinned one', async () => {
    const before = await allStarts();
    await assert.rejects(
      up({ version: LATEST, hosts: { 'quay-2': { hostKey: WRONG_KEY } } }),
      /Host key verification failed/,
    );
    assert.deepEqual(await allStarts(), before);
  });

  it('takes a removed agent away: from the cluster, and from its host', async () => {
    await up({ version: LATEST, agents: ['quay-1'] });
    assert.doesNotMatch(await kubectl('get nodes -o name'), /quay-2/);
    assert.doesNotMatch(await kubectl('-n kube-system get secrets -o name'), /quay-2/);
    const left = await lab.on(
      'quay-2',
      'ls -d /etc/rancher/k3s /var/lib/rancher/k3s /usr/local/bin/k3s /etc/systemd/system/k3s* 2>/dev/null; ps -e -o args= | grep -E "[k]ubelet|[c]ontainerd" || true',
    );
    assert.equal(left, '');
  });

  it('lets agents join with another token once that was changed', async () => {
    agentToken = NEXT_AGENT_TOKEN;
    const before = await starts('quay-1');
    await up({ version: LATEST, agents: ['quay-1'] });
    const token = await lab.on('quay-1', 'cat /etc/rancher/k3s/token');
    assert.ok(token.trim().endsWith(`::node:${NEXT_AGENT_TOKEN}`));
    assert.equal(await starts('quay-1'), before + 1);
    assert.match(await kubectl('get node quay-1'), / Ready /);
  });

  it('puts back the data of its server from a backup', async () => {
    const operator = await sshOperator(lab, SERVER);
    try {
      const configMaps = () => kubectl('get configmaps -o name');
      await kubectl('create configmap kept --from-literal=a=1');
      await operator.backUp('k3s');
      await kubectl('delete configmap kept');
      await kubectl('create configmap since');
      await assert.rejects(operator.restore('k3s', false), /this replaces the datastore/);
      assert.match(await configMaps(), /since/);
      await operator.restore('k3s', true);
      assert.match(operator.printed, /what was there is kept in \S+\/server\.before-\d{8}T\d{6}Z/);
      assert.match(await configMaps(), /kept/);
      assert.doesNotMatch(await configMaps(), /since/);
      const { mode } = await stat(operator.file('k3s/k3s-server.tar'));
      assert.equal(mode & 0o777, 0o600);
      const data = await lab.on(SERVER, 'ls /var/lib/rancher/k3s');
      assert.doesNotMatch(data, /berth-backup/);
      printed += operator.printed;
    } finally {
      await operator.remove();
    }
  });

  it('lets no secret be seen: state, output, logs, command lines', async () => {
    const lineOf = (pem: string) => pem.split('\n')[4] ?? '';
    const keys = [lab.privateKey, lab.lastPrivateKey].map(lineOf);
    const secrets = [TOKEN, AGENT_TOKEN, NEXT_AGENT_TOKEN, ...keys];
    const texts: Record<string, string> = {
      state: await engine.state(),
      output: printed,
      'process arguments': samples.seen(),
    };
    for (const host of [SERVER, 'quay-1'])
      texts[`logs of ${host}`] = await lab.on(host, 'cat /var/log/k3s*.log');
    assert.match(texts['process arguments'] ?? '', /systemctl restart k3s/);
    for (const [where, text] of Object.entries(texts))
      for (const secret of secrets)
        assert.equal(text.includes(secret), false, `${secret.slice(0, 12)}… is in ${where}`);
  });

  it('is destroyed with a host that does not answer, where the configuration says so', async () => {
    await lab.engine.docker('stop', '-t', '1', 'quay-1');
    const answering = await stack({ version: LATEST, agents: ['quay-1'] });
    await assert.rejects(answering.destroy({ onOutput }), /quay-1-k3s[^]*(connect|dial)/);
    const change = {
      version: LATEST,
      agents: ['quay-1'],
      hosts: { 'quay-1': { unreachable: true } },
    };
    await up(change);
    await (await stack(change)).destroy({ onOutput });
    assert.equal(
      await lab.on(SERVER, 'ls /usr/local/bin/k3s /var/lib/rancher/k3s 2>/dev/null; true'),
      '',
    );
  });

  it('is destroyed where the cluster has gone', async () => {
    const change = { version: LATEST, agents: ['quay-2'] };
    await up(change);
    await lab.on(SERVER, 'systemctl stop k3s');
    await (await stack(change)).destroy({ onOutput });
    for (const host of [SERVER, 'quay-2'])
      assert.equal(
        await lab.on(host, 'ls /usr/local/bin/k3s /var/lib/rancher/k3s 2>/dev/null; true'),
        '',
      );
  });
});

function changes({ summary }: UpResult): Record<string, number> {
  const counts = Object.entries(summary.resourceChanges ?? {});
  return Object.fromEntries(counts.filter(([kind]) => kind !== 'same'));
}

/** The name of the command that an event says has run. */
function commandOf({ resOutputsEvent }: EngineEvent): string[] {
  const { type, op, urn } = resOutputsEvent?.metadata ?? {};
  return type === 'command:remote:Command' && op === 'update'
    ? [urn?.split('::').at(-1) ?? '']
    : [];
}
