import assert from 'node:assert/strict';
import { DockerContainers } from '../../runtime/autoscaler/adapters/docker-containers';
import { connectDocker } from '../../runtime/autoscaler/adapters/docker-connection';
import { MemoryWorld } from '../../runtime/autoscaler/adapters/memory-world';
import type { WorkerMould } from '../../runtime/autoscaler/containers/worker-template';
import { ContainerTaken, type Containers } from '../../runtime/autoscaler/ports';
import { mouldOf } from '../policy/autoscaler/worker-mould';
import { HeldServer } from '../wire/support/held-server';
import { startLabEngine, type LabEngine } from '../wire/support/lab-engine';
import { RunningService } from '../wire/support/running-service';

const NAME = 'k3s-worker-901';
const OTHER = 'k3s-worker-902';

/** What every Containers promises. */
function contract(fresh: () => Promise<Containers>): void {
  it('makes a container once for an operation, however often it is asked', async () => {
    const containers = await fresh();
    await containers.create(NAME, 'op');
    const [first] = await containers.list();
    await containers.create(NAME, 'op');
    const all = await containers.list();
    assert.deepEqual(all, [first]);
    assert.deepEqual([first?.name, first?.operation, first?.running], [NAME, 'op', true]);
  });

  it('does not touch one that another operation made', async () => {
    const containers = await fresh();
    await containers.create(NAME, 'op');
    const before = await containers.list();
    await assert.rejects(containers.create(NAME, 'other'), ContainerTaken);
    assert.deepEqual(await containers.list(), before);
  });

  it('removes one, and does not mind when it is gone', async () => {
    const containers = await fresh();
    await containers.create(NAME, 'op');
    await containers.remove(NAME);
    await containers.remove(NAME);
    assert.deepEqual(await containers.list(), []);
    await containers.create(NAME, 'other');
    assert.equal((await containers.list())[0]?.operation, 'other');
  });

  it('makes and removes several at the same time', async () => {
    const containers = await fresh();
    await Promise.all([containers.create(NAME, 'a'), containers.create(OTHER, 'b')]);
    const made = (await containers.list()).map(({ name, operation }) => `${name} ${operation}`);
    assert.deepEqual(made.sort(), [`${NAME} a`, `${OTHER} b`]);
    await containers.remove(NAME);
    assert.deepEqual(
      (await containers.list()).map(({ name }) => name),
      [OTHER],
    );
  });
}

describe('autoscaler containers: memory', () => {
  contract(() => Promise.resolve(new MemoryWorld()));
});

describe('autoscaler containers: Docker', function () {
  this.timeout(1_800_000);
  const IMAGE = 'berth.test/shell:1';
  const NETWORK = 'quay';
  const FILE = '/etc/rancher/k3s/registries.yaml';
  const TIMEOUT_MS = 300_000;
  let lab: LabEngine;
  let mould: WorkerMould;
  let proxy: RunningService;
  const token = 'a-token-of-the-proxy';
  const throughProxy = () => connectDocker({ url: proxy.url, token });

  before(async function () {
    this.timeout(3_600_000);
    lab = await startLabEngine();
    await lab.importShellImage(IMAGE);
    await lab.docker('network', 'create', NETWORK);
    const command = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'];
    mould = mouldOf({
      ...{ image: IMAGE, command, memoryMb: 64, stopSeconds: 1, mounts: [] },
      ...{ capabilities: ['NET_ADMIN'], files: { [FILE]: 'mirrors: {}\n' } },
    });
    proxy = await RunningService.start('docker-socket-proxy', {
      WORKER_TEMPLATE: JSON.stringify(mould.template),
      K3S_TOKEN: mould.clusterToken,
      DOCKER_TOKEN: token,
      DOCKER_SOCKET: new URL(lab.ctx.dockerHost).pathname,
      ENGINE_TIMEOUT_MS: String(TIMEOUT_MS),
    });
  });
  after(async () => {
    await proxy?.stop();
    await lab?.stop();
  });

  const direct = (change: Partial<WorkerMould> = {}, timeoutMs = TIMEOUT_MS) => {
    const docker = connectDocker({ url: lab.ctx.dockerHost, token: '' });
    return new DockerContainers(docker, { ...mould, ...change }, timeoutMs);
  };
  const guarded = () => new DockerContainers(throughProxy(), mould, TIMEOUT_MS);
  const emptied = async (containers: DockerContainers): Promise<DockerContainers> => {
    const left = (await lab.docker('ps', '-aq')).split('\n').filter(Boolean);
    if (left.length > 0) await lab.docker('rm', '-f', '-v', ...left);
    return containers;
  };

  describe("on the engine's own socket", () => contract(() => emptied(direct())));
  describe('through the docker-socket-proxy', () => contract(() => emptied(guarded())));

  const inspect = async (name: string, format: string): Promise<string> =>
    lab.docker('inspect', '-f', format, name);

  it('makes what the template says', async () => {
    const containers = await emptied(guarded());
    await containers.create(NAME, 'op');
    assert.equal(await lab.docker('exec', NAME, 'cat', FILE), 'mirrors: {}');
    const told = await lab.docker('exec', NAME, 'env');
    assert.match(told, new RegExp(`^K3S_NODE_NAME=${NAME}$`, 'm'));
    assert.match(told, /^K3S_URL=https:\/\/server:6443$/m);
    assert.match(told, new RegExp(`^K3S_TOKEN=${mould.clusterToken}$`, 'm'));
    const { HostConfig: host, Config: config } = JSON.parse(await inspect(NAME, '{{json .}}')) as {
      HostConfig: Record<string, unknown>;
      Config: Record<string, unknown>;
    };
    assert.equal(host['NanoCpus'], 5e8);
    assert.equal(host['Memory'], 64 * 2 ** 20);
    assert.deepEqual(host['CapAdd'], ['NET_ADMIN']);
    assert.deepEqual(host['Tmpfs'], { '/run': '', '/tmp': '' });
    assert.deepEqual([host['MaskedPaths'], host['ReadonlyPaths']], [[], []]);
    assert.equal(host['NetworkMode'], NETWORK);
    assert.deepEqual(host['RestartPolicy'], { Name: 'unless-stopped', MaximumRetryCount: 0 });
    assert.equal(config['Hostname'], NAME);
    assert.deepEqual(config['Labels'], {
      'berth.autoscaler': 'quay',
      'berth.operation': 'op',
      'com.docker.compose.project': 'prototype',
    });
  });

  it('goes on with one that was made and not started', async () => {
    const containers = await emptied(direct());
    await containers.create(NAME, 'op');
    await lab.docker('stop', '-t', '1', NAME);
    assert.equal((await containers.list())[0]?.running, false);
    await containers.create(NAME, 'op');
    assert.equal((await containers.list())[0]?.running, true);
  });

  it('leaves no volume behind', async () => {
    const containers = await emptied(guarded());
    await lab.docker('volume', 'prune', '-f');
    await containers.create(NAME, 'op');
    assert.equal((await lab.docker('volume', 'ls', '-q')).split('\n').length, 2);
    await containers.remove(NAME);
    assert.equal(await lab.docker('volume', 'ls', '-q'), '');
  });

  it('neither sees nor touches what is not its own', async () => {
    const containers = await emptied(guarded());
    await lab.docker('run', '-d', '--name', NAME, IMAGE, 'sleep', '3600');
    assert.deepEqual(await containers.list(), []);
    await assert.rejects(containers.create(NAME, 'op'), ContainerTaken);
    await containers.remove(NAME);
    assert.equal(await inspect(NAME, '{{.State.Running}}'), 'true');
    const estate = { ...mould.template, estate: 'pier' };
    const other = direct({ template: estate });
    await other.create(OTHER, 'op');
    assert.deepEqual(await containers.list(), []);
    await assert.rejects(containers.create(OTHER, 'op'), ContainerTaken);
  });

  it('says what is wrong: a missing image, an engine that is away, a wrong token, a proxy that refuses', async () => {
    const container = { ...mould.template.container, image: 'berth.test/none:1' };
    const template = { ...mould.template, container };
    await assert.rejects(
      direct({ template }).create(NAME, 'op'),
      /^DockerError: Docker: cannot create k3s-worker-901 of berth\.test\/none:1: No such image.*\(404\)$/,
    );
    const nowhere = connectDocker({ url: 'unix:///run/berth-none/docker.sock', token: '' });
    await assert.rejects(
      new DockerContainers(nowhere, mould, TIMEOUT_MS).list(),
      /Docker: cannot list the workers: .*ENOENT/,
    );
    const stranger = connectDocker({ url: proxy.url, token: 'another-token-of-some-length' });
    await assert.rejects(
      new DockerContainers(stranger, mould, TIMEOUT_MS).list(),
      /a bearer token is needed.*\(401\)/,
    );
    const bad = new DockerContainers(throughProxy(), { ...mould, template }, TIMEOUT_MS);
    await assert.rejects(bad.create(NAME, 'op'), /Image: is not what workers are made of.*\(403\)/);
  });

  it('does not wait longer than it may', async () => {
    const server = await HeldServer.start();
    try {
      const docker = connectDocker({ url: `http://127.0.0.1:${server.port}`, token: '' });
      await assert.rejects(
        new DockerContainers(docker, mould, 100).list(),
        /within the time limit/,
      );
    } finally {
      await server.close();
    }
  });
});
