import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { cached } from '../cache';

/** A compressed image layer in the cache. */
export interface Layer {
  readonly file: string;
  /** Of the compressed file, `sha256:...`. */
  readonly digest: string;
  readonly size: number;
  /** Of the tar within, `sha256:...`. */
  readonly diffId: string;
}

/** Compresses a tar of {@link ensureRootfs} once; its name stands for its content. */
export async function ensureLayer(tar: string): Promise<Layer> {
  const folder = await cached(`${tar}.layer`, async (temporary) => {
    await mkdir(temporary);
    const file = path.join(temporary, 'layer.tar.gz');
    const plain = createHash('sha256');
    const input = createReadStream(tar).on('data', (chunk) => plain.update(chunk));
    // Level 1: the registry is on this machine, so time counts and size hardly does.
    await pipeline(input, createGzip({ level: 1 }), createWriteStream(file));
    const zipped = createHash('sha256');
    await pipeline(createReadStream(file), zipped);
    const about = {
      digest: `sha256:${zipped.digest('hex')}`,
      size: (await stat(file)).size,
      diffId: `sha256:${plain.digest('hex')}`,
    };
    await writeFile(path.join(temporary, 'layer.json'), JSON.stringify(about));
  });
  const about = JSON.parse(await readFile(path.join(folder, 'layer.json'), 'utf8')) as Layer;
  return { ...about, file: path.join(folder, 'layer.tar.gz') };
}
