import assert from 'node:assert/strict';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { PulumiFn, UpResult } from '@pulumi/pulumi/automation';
import { startEngine, type Engine } from './support/engine';
import { startLabEngine, type LabEngine } from './support/lab-engine';

const IMAGE = 'berth.test/shell:1';
const TOKEN = 'token-that-must-not-show';

/** What a test changes in the small estate. */
interface Estate {
  memory: number;
  cpus: string;
  driver: string;
  extra: Partial<docker.ContainerArgs>;
}

describe('lab docker plugin, on the real pulumi and Docker engines', function () {
  this.timeout(1_800_000);
  let lab: LabEngine;
  let engine: Engine;
  const estate: Estate = { memory: 64, cpus: '0.5', driver: 'bridge', extra: {} };

  before(async function () {
    this.timeout(3_600_000);
    lab = await startLabEngine();
    engine = await startEngine('docker', lab.env);
    await lab.importShellImage(IMAGE);
  });
  after(async function () {
    this.timeout(900_000);
    await engine?.stop();
    await lab?.stop();
  });

  const program =
    (change: Partial<Estate> = {}): PulumiFn =>
    async () => {
      const { memory, cpus, extra } = { ...estate, ...change };
      const provider = new docker.Provider('docker', { host: lab.ctx.dockerHost });
      const on = { provider };
      const network = new docker.Network('net', { name: 'berth-dev' }, on);
      const volume = new docker.Volume('data', {}, on);
      const container = new docker.Container(
        'agent',
        {
          name: 'berth-dev-agent',
          image: IMAGE,
          hostname: 'agent',
          command: ['sh', '-c', 'echo ready; exec sleep 3600'],
          envs: ['MODE=agent', pulumi.interpolate`K3S_TOKEN=${pulumi.secret(TOKEN)}`],
          labels: [{ label: 'berth', value: 'dev' }],
          ports: [{ internal: 6443, ip: '127.0.0.1' }],
          networksAdvanced: [{ name: network.name, aliases: ['agent-alias'] }],
          volumes: [{ volumeName: volume.name, containerPath: '/data' }],
          tmpfs: { '/run': 'size=1m' },
          uploads: [
            { file: '/etc/berth/registries.yaml', content: 'mirrors: {}\n', permissions: '0600' },
          ],
          capabilities: { adds: ['CAP_NET_ADMIN'] },
          securityOpts: ['seccomp=unconfined', 'systempaths=unconfined'],
          devices: [{ hostPath: '/dev/null', containerPath: '/dev/berth', permissions: 'rw' }],
          cgroupnsMode: 'host',
          cpus,
          memory,
          memorySwap: 256,
          restart: 'unless-stopped',
          destroyGraceSeconds: 1,
          ...extra,
        },
        on,
      );
      return { id: container.id, data: volume.name, networks: container.networkDatas };
    };

  const up = async (change: Partial<Estate> = {}): Promise<UpResult> =>
    (await engine.stack(program(change))).up({ refresh: false });
  const changesOf = (result: UpResult) => {
    const counts = Object.entries(result.summary.resourceChanges ?? {});
    return Object.fromEntries(counts.filter(([kind]) => kind !== 'same'));
  };
  const inContainer = (...command: string[]) => lab.docker('exec', 'berth-dev-agent', ...command);
  const inspect = async <T>(template: string) =>
    JSON.parse(await lab.docker('inspect', '-f', `{{json ${template}}}`, 'berth-dev-agent')) as T;

  it('previews what it would make without making it', async () => {
    const preview = await (await engine.stack(program())).preview();
    assert.equal(preview.changeSummary.create, 5);
    assert.equal(await lab.docker('ps', '-aq'), '');
  });

  it('makes a network, a volume and a container as declared', async () => {
    const { outputs } = await up();
    assert.match(`${outputs.data?.value}`, /^data-[0-9a-f]{7}$/);
    assert.equal(await inContainer('cat', '/etc/berth/registries.yaml'), 'mirrors: {}');
    assert.equal(await inContainer('stat', '-c', '%a', '/etc/berth/registries.yaml'), '600');
    assert.match(await inContainer('env'), new RegExp(`^K3S_TOKEN=${TOKEN}$`, 'm'));
    const host = await inspect<Record<string, unknown>>('.HostConfig');
    assert.equal(host.NanoCpus, 5e8);
    assert.equal(host.Memory, 64 * 2 ** 20);
    assert.deepEqual(host.MaskedPaths, []);
    assert.equal(host.CgroupnsMode, 'host');
    const networks = await inspect<Record<string, unknown>>('.NetworkSettings.Networks');
    assert.deepEqual(Object.keys(networks), ['berth-dev']);
    const [data] = outputs.networks?.value as { networkName: string; ipAddress: string }[];
    assert.equal(data?.networkName, 'berth-dev');
    assert.match(`${data?.ipAddress}`, /^\d+\.\d+\.\d+\.\d+$/);
  });

  it('keeps the secret out of the state', async () => {
    const state = await engine.state();
    assert.ok(state.includes('berth-dev-agent'));
    assert.equal(state.includes(TOKEN), false);
  });

  it('changes nothing the second time, nor when sets come in another order', async () => {
    assert.deepEqual(changesOf(await up()), {});
    const envs = [pulumi.interpolate`K3S_TOKEN=${pulumi.secret(TOKEN)}`, 'MODE=agent'];
    assert.deepEqual(changesOf(await up({ extra: { envs } })), {});
  });

  it('changes memory in place', async () => {
    const before = await inspect<string>('.Id');
    assert.deepEqual(changesOf(await up({ memory: 96 })), { update: 1 });
    assert.equal(await inspect<string>('.Id'), before);
    assert.equal(await inspect<number>('.HostConfig.Memory'), 96 * 2 ** 20);
    estate.memory = 96;
  });

  it('replaces the container for other processors, under the same name', async () => {
    const before = await inspect<string>('.Id');
    assert.deepEqual(changesOf(await up({ cpus: '0.25' })), { replace: 1 });
    assert.notEqual(await inspect<string>('.Id'), before);
    assert.equal(await inspect<number>('.HostConfig.NanoCpus'), 25e7);
    estate.cpus = '0.25';
  });

  it('starts a stopped container again after a refresh', async () => {
    await lab.docker('stop', '-t', '1', 'berth-dev-agent');
    const stack = await engine.stack(program());
    await stack.refresh();
    assert.deepEqual(changesOf(await stack.up()), { update: 1 });
    assert.equal(await inspect<boolean>('.State.Running'), true);
  });

  it('makes a container again that somebody removed', async () => {
    await lab.docker('rm', '-f', 'berth-dev-agent');
    const stack = await engine.stack(program());
    await stack.refresh();
    assert.deepEqual(changesOf(await stack.up()), { create: 1 });
  });

  it('waits for a command that is attached to, and keeps what it printed', async () => {
    const stack = await engine.stack(async () => {
      const outputs = (await program()()) as Record<string, unknown>;
      const provider = new docker.Provider('second', { host: lab.ctx.dockerHost });
      const job = new docker.Container(
        'job',
        {
          image: IMAGE,
          command: ['sh', '-c', 'echo out; echo err >&2; exit 3'],
          attach: true,
          logs: true,
          mustRun: false,
        },
        { provider },
      );
      return { ...outputs, logs: job.containerLogs, code: job.exitCode };
    });
    const { outputs } = await stack.up();
    // The engine promises no order between the two streams.
    assert.deepEqual(`${outputs.logs?.value}`.trim().split('\n').sort(), ['err', 'out']);
    assert.equal(outputs.code?.value, 3);
    await up();
    assert.equal((await lab.docker('ps', '-aq')).split('\n').length, 1);
  });

  it('says which name is taken, and leaves nothing half made', async () => {
    const stack = await engine.stack(async () => {
      const outputs = (await program()()) as Record<string, unknown>;
      const provider = new docker.Provider('second', { host: lab.ctx.dockerHost });
      new docker.Container(
        'twin',
        { name: 'berth-dev-agent', image: IMAGE, command: ['sh'] },
        { provider },
      );
      return outputs;
    });
    await assert.rejects(stack.up(), /Unable to create container: Conflict[^]*berth-dev-agent/);
  });

  it('removes a container that could not start, so that the next try finds its name free', async () => {
    const broken = { extra: { name: 'berth-dev-broken', command: ['/no/such/program'] } };
    await assert.rejects(up(broken), /Unable to start container/);
    assert.equal(await lab.docker('ps', '-aq', '-f', 'name=berth-dev-broken'), '');
    await up();
  });

  it('refuses an image that nobody has, with the words of the registry', async () => {
    const missing = { extra: { image: `${lab.ctx.registry}/none:1` } };
    await assert.rejects(up(missing), /error pulling image .*\/none:1/);
    await up();
  });

  it('leaves nothing behind', async () => {
    await (await engine.stack(program())).destroy();
    assert.equal(await lab.docker('ps', '-aq'), '');
    assert.equal(await lab.docker('volume', 'ls', '-q'), '');
    assert.equal(await lab.docker('network', 'ls', '-q', '-f', 'type=custom'), '');
  });
});
