import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as build from '@pulumi/docker-build';
import type { PulumiFn, UpResult } from '@pulumi/pulumi/automation';
import { startEngine, type Engine } from './support/engine';
import { startLabEngine, type LabEngine } from './support/lab-engine';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const PASSWORD = 'password-that-must-not-show';

interface Index {
  manifests: { digest: string; platform: { os: string; architecture: string } }[];
}

describe('lab docker-build plugin, on the real pulumi engine, buildkitd and registry', function () {
  this.timeout(1_800_000);
  let lab: LabEngine;
  let engine: Engine;
  let folder: string;
  let tag: string;

  before(async function () {
    this.timeout(3_600_000);
    lab = await startLabEngine();
    engine = await startEngine('docker-build', lab.env);
    folder = await mkdtemp(path.join(tmpdir(), 'berth-image-'));
    tag = `${lab.ctx.registry}/berth/service:dev`;
    await mkdir(path.join(folder, 'ctx'));
    await writeFile(
      path.join(folder, 'service.Dockerfile'),
      'FROM scratch\nARG APP\nLABEL app=${APP}\nCOPY . /app\n',
    );
    await write('main.js', 'one');
    await write('.dockerignore', '*.log\n');
  });
  after(async function () {
    this.timeout(900_000);
    await engine?.stop();
    await lab?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  const write = (name: string, text: string) => writeFile(path.join(folder, 'ctx', name), text);
  const program =
    (change: Partial<build.ImageArgs> = {}): PulumiFn =>
    async () => {
      const image = new build.Image('service', {
        context: { location: path.join(folder, 'ctx') },
        dockerfile: { location: path.join(folder, 'service.Dockerfile') },
        platforms: ['linux/amd64', 'linux/arm64'],
        tags: [tag],
        buildArgs: { APP: 'pi1' },
        builder: { name: lab.ctx.builderName },
        push: true,
        buildOnPreview: false,
        registries: [{ address: lab.ctx.registry, username: 'user', password: PASSWORD }],
        ...change,
      });
      return { ref: image.ref, digest: image.digest, hash: image.contextHash };
    };
  const up = async (change: Partial<build.ImageArgs> = {}): Promise<UpResult> =>
    (await engine.stack(program(change))).up();
  const changesOf = ({ summary }: UpResult) => {
    const counts = Object.entries(summary.resourceChanges ?? {});
    return Object.fromEntries(counts.filter(([kind]) => kind !== 'same'));
  };
  const value = (result: UpResult, name: string) => `${result.outputs[name]?.value}`;
  const fetchManifest = (reference: string) =>
    fetch(`http://${lab.ctx.registry}/v2/berth/service/manifests/${reference}`, {
      headers: { Accept: INDEX },
    });
  let digest = '';

  it('builds nothing in a preview when told so', async () => {
    const { changeSummary } = await (await engine.stack(program())).preview();
    assert.equal(changeSummary.create, 2);
    assert.equal((await fetchManifest('dev')).status, 404);
  });

  it('pushes an index for both platforms and names it by digest', async () => {
    const result = await up();
    digest = value(result, 'digest');
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(value(result, 'ref'), `${tag}@${digest}`);
    const index = (await (await fetchManifest(digest)).json()) as Index;
    const platforms = index.manifests.map(
      ({ platform }) => `${platform.os}/${platform.architecture}`,
    );
    assert.deepEqual(platforms.sort(), ['linux/amd64', 'linux/arm64']);
  });

  it('keeps the password out of the state', async () => {
    const state = await engine.state();
    assert.ok(state.includes(digest));
    assert.equal(state.includes(PASSWORD), false);
  });

  it('changes nothing the second time, nor for an ignored file or another password', async () => {
    assert.deepEqual(changesOf(await up()), {});
    await write('debug.log', 'noise');
    const registries = [{ address: lab.ctx.registry, username: 'user', password: 'new' }];
    assert.deepEqual(changesOf(await up({ registries })), {});
  });

  it('builds again in place when a file, the Dockerfile or an argument changes', async () => {
    await write('main.js', 'two');
    const digests = new Set([digest]);
    for (const change of [{}, { buildArgs: { APP: 'pi1-1' } }]) {
      const result = await up(change);
      assert.deepEqual(changesOf(result), { update: 1 });
      digests.add(value(result, 'digest'));
    }
    await chmod(path.join(folder, 'ctx', 'main.js'), 0o755);
    const result = await up({ buildArgs: { APP: 'pi1-1' } });
    assert.deepEqual(changesOf(result), { update: 1 });
    digests.add(value(result, 'digest'));
    assert.equal(digests.size, 4);
    digest = value(result, 'digest');
  });

  it('builds in a preview when told so, and pushes nothing', async () => {
    const other = { tags: [`${lab.ctx.registry}/berth/service:preview`], buildOnPreview: true };
    await (await engine.stack(program(other))).preview();
    assert.equal((await fetchManifest('preview')).status, 404);
    const broken = { ...other, dockerfile: { inline: 'FROM scratch\nCOPY missing /\n' } };
    await assert.rejects((await engine.stack(program(broken))).preview(), /"\/missing": not found/);
  });

  it('builds again after a refresh when the registry has lost the image', async () => {
    const change = { buildArgs: { APP: 'pi1-1' } };
    const stack = await engine.stack(program(change));
    await stack.refresh();
    assert.deepEqual(changesOf(await stack.up()), {});
    const elsewhere = `${lab.ctx.registry}/berth/gone:dev`;
    await up({ ...change, tags: [elsewhere] });
    const state = await stack.exportStack();
    const lost = JSON.parse(
      JSON.stringify(state).replaceAll(digest, `sha256:${'0'.repeat(64)}`),
    ) as typeof state;
    await stack.importStack(lost);
    const again = await engine.stack(program({ ...change, tags: [elsewhere] }));
    await again.refresh();
    assert.deepEqual(changesOf(await again.up()), { create: 1 });
  });

  describe('when things go wrong', () => {
    let server: Server;
    let ailing: string;
    before(async () => {
      server = createServer((_, response) => response.writeHead(500).end('broken'));
      await new Promise<void>((resolve) => server.listen(0, lab.ctx.hostAddress, resolve));
      ailing = `${lab.ctx.hostAddress}:${(server.address() as AddressInfo).port}`;
    });
    after(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it('says what to do when the registry answers 500', async () => {
      const exports = [
        { raw: `type=image,name=${ailing}/berth/x:1,push=true,registry.insecure=true` },
      ];
      await assert.rejects(up({ push: false, tags: [], exports }), (error: Error) => {
        assert.match(
          error.message,
          /buildx: exit status 1: the registry had an error of its own \(HTTP 5xx\)/,
        );
        return true;
      });
    });

    it('names what is wrong with the inputs before it builds', async () => {
      await assert.rejects(
        up({ context: { location: '/no/such/folder' } }),
        /not a valid directory/,
      );
      await assert.rejects(up({ tags: ['Not A Tag'] }), /not an image name/);
      await assert.rejects(up({ ssh: [{ id: 'default' }] }), /does not implement the property ssh/);
      await assert.rejects(up({ builder: { name: 'none' } }), /no such builder/);
    });
  });

  describe('in the end', () => {
    it('goes without an error though the registry keeps what it has', async () => {
      const stack = await engine.stack(program());
      await stack.up();
      await stack.destroy();
      assert.equal((await engine.state()).includes('docker-build:index:Image'), false);
    });
  });
});
