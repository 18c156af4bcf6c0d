import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheDir, cached } from '../cache';
import { run } from '../exec';
import type { Reporter } from '../report';

const version = '22.23.3';

/** Path of a Node for images, for this machine's processor: the npm package that holds just it. */
export async function ensureNodeBinary(reporter: Reporter): Promise<string> {
  const name = `node-linux-${process.arch}`;
  const target = path.join(cacheDir(), 'node', `${name}-${version}`);
  if (existsSync(target)) return target;
  return reporter.step(`fetch Node ${version}`, () =>
    cached(target, async (temporary) => {
      const folder = `${temporary}.package`;
      await mkdir(folder, { recursive: true });
      try {
        await run('npm', ['pack', '--silent', `${name}@${version}`, '--pack-destination', folder]);
        const [archive = ''] = await readdir(folder);
        await run('tar', ['-xzf', path.join(folder, archive), '-C', folder, 'package/bin/node']);
        await rename(path.join(folder, 'package/bin/node'), temporary);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }),
  );
}
