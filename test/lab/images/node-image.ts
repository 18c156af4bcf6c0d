import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { cacheDir, cached } from '../cache';
import type { DebianArch } from '../debian';
import { run } from '../exec';
import type { Reporter } from '../report';
import { ensureLayer, type Layer } from './layer';
import type { ImageSpec } from './push';
import { ensureRootfs } from './rootfs';

const NODE_VERSION = '22.23.3';

/** npm's names of processors, in the packages that hold a Node. */
const NPM_ARCH: Readonly<Record<DebianArch, string>> = { amd64: 'x64', arm64: 'arm64' };

/** What every image of the lab lies on: a C library, a shell, and the small commands that people expect in a container. */
export const BASE_IMAGE_PACKAGES = ['coreutils', 'dash', 'libstdc++6'] as const;

/** The lowest layer of the lab's images. */
export async function baseLayer(arch: DebianArch, reporter: Reporter): Promise<Layer> {
  return ensureLayer(
    await ensureRootfs({ name: 'base', arch, packages: BASE_IMAGE_PACKAGES }, reporter),
  );
}

/** `node:22-bookworm-slim` for both processors, from Debian packages and npm's Node. */
export async function nodeImage(reporter: Reporter): Promise<ImageSpec> {
  const layers: Partial<Record<DebianArch, Layer[]>> = {};
  for (const arch of ['amd64', 'arm64'] as const) {
    const node = await fetchNode(arch, reporter);
    const tar = await ensureRootfs(
      {
        name: 'node',
        arch,
        packages: [],
        over: BASE_IMAGE_PACKAGES,
        programs: { 'usr/local/bin/node': node },
        links: { 'usr/local/bin/nodejs': 'node' },
      },
      reporter,
    );
    layers[arch] = [await baseLayer(arch, reporter), await ensureLayer(tar)];
  }
  return {
    name: 'library/node',
    tag: '22-bookworm-slim',
    config: {
      Env: [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        `NODE_VERSION=${NODE_VERSION}`,
      ],
      Cmd: ['node'],
    },
    layers,
  };
}

/** The `node` of a processor, out of the npm package that holds it. */
export async function fetchNode(arch: DebianArch, reporter: Reporter): Promise<string> {
  const name = `node-linux-${NPM_ARCH[arch]}`;
  const target = path.join(cacheDir(), 'node', `${name}-${NODE_VERSION}`);
  return reporter.step(`Node ${NODE_VERSION} for ${arch}`, () =>
    cached(target, async (temporary) => {
      const folder = `${temporary}.npm`;
      await mkdir(folder, { recursive: true });
      try {
        await run('npm', ['pack', '--silent', `${name}@${NODE_VERSION}`], { cwd: folder });
        const file = path.join(folder, `${name}-${NODE_VERSION}.tgz`);
        await run('tar', ['-x', '-f', file, '-C', folder, 'package/bin/node']);
        await rename(path.join(folder, 'package', 'bin', 'node'), temporary);
      } finally {
        await run('rm', ['-rf', folder]);
      }
    }),
  );
}
