import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { container } from '../lab/plugins/docker/container';
import { createBody, nanoseconds } from '../lab/plugins/docker/container-request';
import type { ContainerInputs } from '../lab/plugins/docker/container-schema';
import { EngineApi } from '../lab/plugins/docker/engine-api';
import { pullQuery } from '../lab/plugins/docker/images';
import { network } from '../lab/plugins/docker/network';
import { uploadTar } from '../lab/plugins/docker/upload';
import { volume } from '../lab/plugins/docker/volume';
import { formatPath, UNKNOWN, type CallContext, type Props } from '../lab/plugins/shared';

const context: CallContext = {
  urn: 'urn:pulumi:dev::tiny::docker:index/container:Container::agent',
  name: 'agent',
  type: 'docker:index/container:Container',
  signal: new AbortController().signal,
  log: () => undefined,
  status: () => undefined,
};
const unused = (): EngineApi => {
  throw new Error('a check or diff must not ask the engine');
};
const [containers, networks, volumes] = [container(unused), network(unused), volume(unused)];

const check = (type: typeof containers, news: Props, olds: Props = {}) =>
  type.check!({ olds, news, randomSeed: Buffer.from('seed') }, context);

async function changes(olds: Props, news: Props, oldOutputs: Props = olds): Promise<string[]> {
  const request = { id: 'x', oldInputs: olds, oldOutputs, news };
  const diff = await containers.diff!(request, context);
  assert.equal(diff.deleteBeforeReplace, true);
  return diff.changes.map(({ path, replace }) => `${replace ? '+-' : '~'}${formatPath(path)}`);
}

describe('lab docker plugin: inputs', () => {
  it('names a resource that the program does not, and keeps that name', async () => {
    const first = (await check(containers, { image: 'i' })).inputs.name;
    assert.match(`${first}`, /^agent-[0-9a-f]{7}$/);
    assert.equal((await check(containers, { image: 'i' })).inputs.name, first);
    const later = await containers.check!(
      { olds: { name: first ?? null }, news: { image: 'i' }, randomSeed: Buffer.from('other') },
      context,
    );
    assert.equal(later.inputs.name, first);
  });

  it("fills in the official provider's defaults", async () => {
    const { inputs } = await check(containers, { image: 'i' });
    assert.equal(inputs.mustRun, true);
    assert.equal(inputs.restart, 'no');
    assert.equal(inputs.networkMode, 'bridge');
  });

  it('refuses what it does not implement and what is of the wrong kind, each with its place', async () => {
    const { failures = [] } = await check(containers, {
      image: 'i',
      gpus: 'all',
      ports: [{ internal: 99999 }],
      networksAdvanced: [{ name: 'n', gwPriority: 1 }],
      cpus: 0.5,
      restart: 'sometimes',
    });
    assert.deepEqual(failures.map((failure) => failure.property).sort(), [
      'cpus',
      'gpus',
      'networksAdvanced[0].gwPriority',
      'ports[0].internal',
      'restart',
    ]);
  });

  it('refuses hosts that it cannot reach', () => {
    assert.throws(() => new EngineApi('ssh://root@h'), /ssh:\/\/root@h: the lab implements/);
  });
});

describe('lab docker plugin: what a change does to a container', () => {
  const olds: Props = {
    image: 'a',
    envs: ['A=1', 'B=2'],
    labels: [
      { label: 'x', value: '1' },
      { label: 'y', value: '2' },
    ],
    memory: 512,
    command: ['a', 'b'],
    mustRun: true,
  };

  it('sees no change in the order of sets, but does in a command', async () => {
    const labels = [...(olds.labels as Props[])].reverse();
    assert.deepEqual(await changes(olds, { ...olds, envs: ['B=2', 'A=1'], labels }), []);
    assert.deepEqual(await changes(olds, { ...olds, command: ['b', 'a'] }), [
      '+-command[0]',
      '+-command[1]',
    ]);
  });

  it('replaces for image, environment and cpus, and updates limits and restart in place', async () => {
    assert.deepEqual(await changes(olds, { ...olds, image: 'b' }), ['+-image']);
    assert.deepEqual(await changes(olds, { ...olds, envs: ['A=1', 'B=3'] }), ['+-envs[1]']);
    assert.deepEqual(await changes(olds, { ...olds, cpus: '0.5' }), ['+-cpus']);
    assert.deepEqual(await changes(olds, { ...olds, memory: 256, restart: 'always' }), [
      '~memory',
      '~restart',
    ]);
  });

  it('sees a stopped container as one that must be started', async () => {
    assert.deepEqual(await changes(olds, olds, { ...olds, mustRun: false }), ['~mustRun']);
  });

  it('takes an empty list or map for none', async () => {
    assert.deepEqual(await changes(olds, { ...olds, uploads: [], tmpfs: {} }), []);
  });

  it('counts a value that is not known yet as a change', async () => {
    assert.deepEqual(await changes(olds, { ...olds, image: UNKNOWN }), ['+-image']);
  });
});

describe('lab docker plugin: a container that is being made', () => {
  let server: Server;
  let folder: string;
  let asked: string[];
  let onStart: () => void;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-engine-'));
    asked = [];
    // An engine that has every image, makes every container, and never finishes starting one.
    server = createServer((incoming, response) => {
      const call = `${incoming.method} ${incoming.url?.replace(/^\/v1\.41|\?.*$/g, '')}`;
      asked.push(call);
      if (call.endsWith('/start')) onStart();
      else response.writeHead(call.includes('/wait') ? 404 : 200).end('{"Id":"abc"}');
    });
    await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it('is removed when the user cancels', async () => {
    const stop = new AbortController();
    onStart = () => stop.abort();
    const engine = new EngineApi(`unix://${join(folder, 's')}`);
    const making = container(() => engine).create(
      { inputs: { image: 'i', name: 'n', start: true } },
      { ...context, signal: stop.signal },
    );
    await assert.rejects(making, /cancelled/);
    assert.ok(asked.includes('POST /containers/abc/start'));
    assert.ok(asked.includes('DELETE /containers/abc'), asked.join(', '));
  });

  it('fails in one line when no engine answers', async () => {
    const engine = new EngineApi(`unix://${join(folder, 'none')}`);
    const making = container(() => engine).create({ inputs: { image: 'i', name: 'n' } }, context);
    await assert.rejects(making, /no Docker engine answers at unix:\/\/.*none/);
  });
});

describe('lab docker plugin: networks and volumes', () => {
  it('are replaced by any change, the old one first where the name is given', async () => {
    const diff = async (type: typeof networks, name: string) => {
      const request = { id: 'x', oldInputs: { name }, oldOutputs: {}, news: { name, driver: 'b' } };
      return (await type.diff!(request, context)) as { deleteBeforeReplace?: boolean };
    };
    for (const type of [networks, volumes]) {
      assert.equal((await diff(type, 'given')).deleteBeforeReplace, true);
      assert.equal((await diff(type, 'agent-0123abc')).deleteBeforeReplace, false);
    }
  });
});

describe('lab docker plugin: what the engine is asked', () => {
  const body = (inputs: Partial<ContainerInputs>) =>
    createBody({ image: 'i', ...inputs }) as Record<string, never> & {
      HostConfig: Record<string, unknown>;
    };

  it('turns sizes, processors and times into the units of the engine', () => {
    const { HostConfig: host } = body({ memory: 1, memorySwap: -1, cpus: '0.5', shmSize: 2 });
    assert.deepEqual(
      [host.Memory, host.MemorySwap, host.NanoCpus, host.ShmSize],
      [1048576, -1, 5e8, 2097152],
    );
    assert.equal(nanoseconds('1m30.5s'), 90.5e9);
    assert.throws(() => nanoseconds('soon'), /duration/);
  });

  it('opens system paths as the client does, and passes the other options on', () => {
    const { HostConfig: host } = body({
      securityOpts: ['seccomp=unconfined', 'systempaths=unconfined'],
    });
    assert.deepEqual(host.SecurityOpt, ['seccomp=unconfined']);
    assert.deepEqual([host.MaskedPaths, host.ReadonlyPaths], [[], []]);
    assert.equal(body({}).HostConfig.MaskedPaths, undefined);
  });

  it('binds ports and mounts volumes', () => {
    const { HostConfig: host } = body({
      ports: [
        { internal: 80, external: 8080, ip: '127.0.0.1' },
        { internal: 53, protocol: 'udp' },
      ],
      volumes: [
        { containerPath: '/data', volumeName: 'v' },
        { containerPath: '/lib/modules', hostPath: '/lib/modules', readOnly: true },
        { containerPath: '/anonymous' },
      ],
    });
    assert.deepEqual(host.PortBindings, {
      '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
      '53/udp': [{ HostIp: '0.0.0.0', HostPort: '0' }],
    });
    assert.deepEqual(host.Binds, ['v:/data:rw', '/lib/modules:/lib/modules:ro']);
    assert.throws(() => body({ volumes: [{ hostPath: '/x' }] }), /containerPath or fromContainer/);
  });

  it('pulls one tag or digest, never all', () => {
    assert.deepEqual(pullQuery('h:5000/a/b'), { fromImage: 'h:5000/a/b', tag: 'latest' });
    assert.deepEqual(pullQuery('a:1'), { fromImage: 'a', tag: '1' });
    assert.deepEqual(pullQuery('a:1@sha256:0'), { fromImage: 'a', tag: 'sha256:0' });
  });

  it('uploads files that tar reads, with their mode', () => {
    const file = `/etc/rancher/${'k'.repeat(90)}/registries.yaml`;
    const tar = uploadTar({ file, content: 'mirrors: {}\n', permissions: '0600' }, 1_000_000);
    const list = spawnSync('tar', ['-tvf', '-'], { input: tar }).stdout.toString();
    const content = spawnSync('tar', ['-xOf', '-'], { input: tar }).stdout.toString();
    assert.match(list, /^-rw-------/);
    assert.ok(list.includes(file.slice(1)));
    assert.equal(content, 'mirrors: {}\n');
    assert.throws(() => uploadTar({ file: '/a' }, 0), /exactly one of/);
  });
});
