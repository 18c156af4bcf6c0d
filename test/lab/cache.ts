import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where built programs, root file systems and downloads are kept: shared by every checkout of this user. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['BERTH_CACHE'] !== undefined && env['BERTH_CACHE'] !== '') {
    return path.resolve(env['BERTH_CACHE']);
  }
  return path.join(env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'berth');
}

/** The first 16 hex digits of the SHA-256 of the parts, each part told apart from the next. */
export function contentKey(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 16);
}

/**
 * Runs `work` while holding a lock that other runs of the lab honour. The kernel holds it, through a child process
 * that ends with this one: a run that is killed never leaves a lock behind.
 * @param onWait called once when another run holds the lock
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  onWait: () => void = () => undefined,
): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  const waiting = setTimeout(onWait, 1_000);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('error', reject);
      holder.once('exit', (code) => reject(new Error(`flock ${file} ended with ${String(code)}`)));
    });
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.on('error', () => undefined).end();
    await ended;
  }
}

/**
 * The cached folder or file at `target`; made if it is missing. It appears whole or not at all: `make` fills a temporary
 * path beside it, which is renamed at the end.
 */
export async function cached(
  target: string,
  make: (temporary: string) => Promise<void>,
  onWait?: () => void,
): Promise<string> {
  if (existsSync(target)) return target;
  const folder = path.dirname(target);
  const lock = path.join(folder, `.${path.basename(target)}.lock`);
  return withLock(
    lock,
    async () => {
      if (existsSync(target)) return target;
      await removeLeftovers(folder, path.basename(target));
      const temporary = path.join(
        folder,
        `.${path.basename(target)}.tmp-${randomBytes(4).toString('hex')}`,
      );
      try {
        await make(temporary);
        await rename(temporary, target);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
      return target;
    },
    onWait,
  );
}

/** Temporary files of runs that were killed: only the lock's holder makes them, so all that are there are stale. */
async function removeLeftovers(folder: string, name: string): Promise<void> {
  const stale = (await readdir(folder)).filter((entry) => entry.startsWith(`.${name}.tmp-`));
  for (const entry of stale) await rm(path.join(folder, entry), { recursive: true, force: true });
}
