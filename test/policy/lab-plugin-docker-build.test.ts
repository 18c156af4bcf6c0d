import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildArguments, secretEnv } from '../lab/plugins/docker-build/build-arguments';
import { explain } from '../lab/plugins/docker-build/buildx';
import { contextHash } from '../lab/plugins/docker-build/context-hash';
import { parseIgnoreFile } from '../lab/plugins/docker-build/ignore-patterns';
import { image } from '../lab/plugins/docker-build/image';
import { diffImage } from '../lab/plugins/docker-build/image-diff';
import type { ImageInputs } from '../lab/plugins/docker-build/image-schema';
import { parseReference, withDigest } from '../lab/plugins/docker-build/reference';
import { schemeOf } from '../lab/plugins/docker-build/registry';
import { formatPath, Secret, UNKNOWN, type CallContext, type Props } from '../lab/plugins/shared';

const context: CallContext = {
  urn: 'urn:pulumi:dev::tiny::docker-build:index:Image::one',
  name: 'one',
  type: 'docker-build:index:Image',
  signal: new AbortController().signal,
  log: () => undefined,
  status: () => undefined,
};

describe('lab docker-build plugin: the hash of a context', () => {
  let folder: string;
  const hash = (dockerfile?: string) => contextHash({ context: folder, dockerfile });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-context-'));
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a', 'file'), 'one');
    writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\n');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('does not change with times, and does with content, name and mode', () => {
    const before = hash();
    utimesSync(join(folder, 'a', 'file'), 1, 1);
    assert.equal(hash(), before);
    const seen = new Set([before]);
    writeFileSync(join(folder, 'a', 'file'), 'two');
    seen.add(hash());
    chmodSync(join(folder, 'a', 'file'), 0o755);
    seen.add(hash());
    writeFileSync(join(folder, 'a', 'more'), '');
    seen.add(hash());
    assert.equal(seen.size, 4);
  });

  it('leaves out what .dockerignore names, but never the Dockerfile', () => {
    const dockerfile = join(folder, 'Dockerfile');
    writeFileSync(join(folder, '.dockerignore'), 'a\nDockerfile\n.dockerignore\n');
    const before = hash(dockerfile);
    writeFileSync(join(folder, 'a', 'file'), 'two');
    assert.equal(hash(dockerfile), before);
    writeFileSync(dockerfile, 'FROM scratch\nCOPY . /\n');
    assert.notEqual(hash(dockerfile), before);
  });

  it("prefers the Dockerfile's own ignore file", () => {
    const dockerfile = join(folder, 'Dockerfile');
    writeFileSync(`${dockerfile}.dockerignore`, '*\n');
    const before = hash(dockerfile);
    writeFileSync(join(folder, 'a', 'file'), 'two');
    assert.equal(hash(dockerfile), before);
  });
});

describe('lab docker-build plugin: .dockerignore', () => {
  const cases: [string, string, boolean][] = [
    ['node_modules', 'node_modules/a/b', true],
    ['node_modules', 'src/node_modules/a', false],
    ['**/node_modules', 'src/node_modules/a', true],
    ['**/node_modules', 'node_modules', true],
    ['*.md', 'README.md', true],
    ['*.md', 'docs/README.md', false],
    ['*.md\n!README.md', 'README.md', false],
    ['/a//b/', 'a/b/c', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c].txt', 'b.txt', true],
    ['# a', '# a', false],
    ['a.c', 'abc', false],
    ['*\n!src/**', 'src/x/y', false],
    ['*\n!src', 'other', true],
  ];
  for (const [rules, path, left] of cases) {
    it(`${JSON.stringify(rules)} ${left ? 'leaves out' : 'keeps'} ${path}`, () => {
      assert.equal(parseIgnoreFile(rules)(path), left);
    });
  }
});

describe('lab docker-build plugin: what asks for a new build', () => {
  const olds: Props = {
    context: { location: 'a' },
    platforms: ['linux/amd64'],
    registries: [{ address: 'r', username: 'u', password: '1' }],
    push: true,
  };
  const diff = (news: Props, hash = 'h') =>
    diffImage(olds, { ...olds, ...news }, 'h', hash).map(({ path, replace }) => {
      assert.equal(replace, false);
      return formatPath(path);
    });

  it('is a changed input or context, not a changed password', () => {
    assert.deepEqual(diff({}), []);
    assert.deepEqual(diff({}, 'other'), ['contextHash']);
    assert.deepEqual(diff({ registries: [{ address: 'r', username: 'u', password: '2' }] }), []);
    assert.deepEqual(diff({ registries: [{ address: 'r', username: 'w', password: '1' }] }), [
      'registries',
    ]);
    assert.deepEqual(diff({ context: { location: 'b' }, platforms: ['linux/arm64'] }), [
      'context.location',
      'platforms',
    ]);
  });

  it('is always there when fresh base images are wanted', () => {
    assert.ok(diff({ pull: true }).includes('contextHash'));
  });
});

describe('lab docker-build plugin: inputs', () => {
  const images = image(() => ({ host: '', registries: [] }));
  const check = (news: Props) =>
    images.check!({ olds: {}, news, randomSeed: new Uint8Array() }, context);

  it('are refused by name and place where they are wrong', async () => {
    const { failures = [] } = await check({
      context: { location: '/nowhere' },
      dockerfile: { location: '/nowhere/Dockerfile', inline: 'FROM scratch' },
      tags: ['fine', 'not fine'],
      ssh: [],
      cacheTo: [{ gha: {} }],
      platforms: ['arm64'],
    });
    assert.deepEqual([...new Set(failures.map((failure) => failure.property))].sort(), [
      'cacheTo[0].gha',
      'context.location',
      'dockerfile',
      'dockerfile.location',
      'platforms[0]',
      'ssh',
      'tags[1]',
    ]);
  });

  it('get the default Dockerfile and hide passwords', async () => {
    const { inputs } = await check({
      context: { location: __dirname },
      registries: [{ address: 'r', password: 'p' }],
    });
    assert.deepEqual(inputs.dockerfile, { location: join(__dirname, 'Dockerfile') });
    const [registry] = inputs.registries as Props[];
    assert.ok(registry?.password instanceof Secret);
  });

  it('that are not known yet are not judged, and a preview without a build knows no digest', async () => {
    const news = { context: { location: UNKNOWN }, tags: [UNKNOWN], buildOnPreview: false };
    assert.deepEqual((await check(news)).failures, []);
    const request = { inputs: news, oldInputs: {}, oldOutputs: {} };
    assert.equal((await images.preview!(request, context)).digest, UNKNOWN);
  });
});

describe('lab docker-build plugin: the buildx command', () => {
  const inputs: ImageInputs = {
    context: { location: 'ctx' },
    dockerfile: { location: 'images/service.Dockerfile' },
    platforms: ['linux/amd64', 'linux/arm64'],
    tags: ['r:5000/a:1'],
    push: true,
    buildArgs: { APP: 'pi1' },
    secrets: { token: 'hidden' },
    exports: [{ oci: { dest: 'out.tar', names: ['x', 'y'], forceCompression: true } }],
    builder: { name: 'berth-abc' },
  };
  const args = buildArguments(inputs, '/tmp/m', false);

  it('says all that was asked for', () => {
    const has = (...words: string[]) =>
      assert.ok(` ${args.join(' ')} `.includes(` ${words.join(' ')} `));
    has('--builder', 'berth-abc');
    has('--file', 'images/service.Dockerfile');
    has('--platform', 'linux/amd64,linux/arm64');
    has('--build-arg', 'APP=pi1');
    has('--output', 'type=oci,dest=out.tar,"name=x,y",force-compression=true');
    has('--output', 'type=registry');
    assert.equal(args.at(-1), 'ctx');
  });

  it('never shows a secret', () => {
    assert.equal(args.join(' ').includes('hidden'), false);
    assert.deepEqual(secretEnv(inputs), { BUILD_SECRET_0: 'hidden' });
  });

  it('pushes nothing in a preview', () => {
    const preview = buildArguments(inputs, '/tmp/m', true);
    assert.deepEqual(
      preview.filter((_, i) => preview[i - 1] === '--output'),
      ['type=image,push=false'],
    );
  });

  it('explains an ailing registry in the first line', () => {
    const log =
      'ERROR: unexpected status from HEAD request to http://r/v2/: 500 Internal Server Error';
    assert.match(explain('exit status 1', log).split('\n')[0] ?? '', /HTTP 5xx.*again/);
  });
});

describe('lab docker-build plugin: image names', () => {
  it('are told apart from registries', () => {
    assert.deepEqual(parseReference('10.0.0.1:5000/berth/a'), {
      registry: '10.0.0.1:5000',
      repository: 'berth/a',
      tag: 'latest',
    });
    assert.equal(parseReference('library/node:22').registry, '');
    assert.equal(withDigest('r.io/a:1', 'sha256:0'), 'r.io/a:1@sha256:0');
    assert.equal(withDigest('a:1', 'sha256:0'), undefined);
    assert.throws(() => parseReference('A b'), /not an image name/);
  });

  it('decide how a registry is spoken to', () => {
    assert.equal(schemeOf('10.201.0.2:5000'), 'http');
    assert.equal(schemeOf('ghcr.io'), 'https');
  });
});
