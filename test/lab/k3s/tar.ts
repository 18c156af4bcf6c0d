import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const block = 512;

/** Where an archive's last entry ends, in bytes: what follows are the zeros that mark the end. */
export async function endOfEntries(tarFile: string): Promise<number> {
  const file = await open(tarFile);
  try {
    const header = Buffer.alloc(block);
    let position = 0;
    for (;;) {
      const { bytesRead } = await file.read(header, 0, block, position);
      if (bytesRead < block || header[0] === 0) return position;
      const size = parseInt(header.toString('latin1', 124, 136).replace(/[\0 ]/g, ''), 8) || 0;
      position += block + Math.ceil(size / block) * block;
    }
  } finally {
    await file.close();
  }
}

/**
 * One archive of another one and some programs more, without writing either again.
 * @param folder holds the programs or symbolic links to them; @param files their paths in it, which are their paths in the archive
 */
export function tarWith(tarFile: string, folder: string, files: readonly string[]): Readable {
  const output = new PassThrough();
  const fill = async (): Promise<void> => {
    const end = await endOfEntries(tarFile);
    if (end > 0)
      await pipeline(createReadStream(tarFile, { end: end - 1 }), output, { end: false });
    const owner = ['--numeric-owner', '--owner=0', '--group=0', '--mtime=@0', '--mode=0755'];
    const tar = spawn('tar', ['-c', '-h', '-f', '-', ...owner, '-C', folder, ...files], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<void>((resolve, reject) => {
      tar.on('error', reject);
      tar.on('close', (code) =>
        code === 0 ? resolve() : reject(new Error(`tar ended with ${String(code)}`)),
      );
    });
    await Promise.all([pipeline(tar.stdout, output, { end: false }), ended]);
    output.end();
  };
  fill().catch((error: Error) => output.destroy(error));
  return output;
}
