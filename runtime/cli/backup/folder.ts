import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf, UserError } from '../user-error';
import { MANIFEST, parseManifest, type BackupFile, type Manifest, type Part } from './manifest';

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** A backup that is being made: beside its folder, which it becomes when it is whole. */
export interface BackupWriter {
  /** Adds a file that only its owner reads (0600). */
  add(part: Part, path: string, content: Bytes): Promise<void>;
  /** Makes it whole. */
  finish(stack: string, takenAt: Date, parts: readonly Part[]): Promise<Manifest>;
  /** Removes what there is of it. */
  discard(): Promise<void>;
}

/** A whole backup, whose files are what its manifest says. */
export interface Backup {
  readonly manifest: Manifest;
  read(path: string): AsyncIterable<Buffer>;
  has(path: string): boolean;
}

/** @throws UserError where something is in the folder: a backup is never written over. */
export async function createBackup(to: string): Promise<BackupWriter> {
  const folder = resolve(to);
  if (existsSync(folder)) {
    if (!(await stat(folder)).isDirectory()) throw new UserError(`${to}: is no folder`);
    if ((await readdir(folder)).length > 0)
      throw new UserError(
        `${to}: is not empty, and a backup is never written over: name another folder`,
      );
  }
  const partial = `${folder}.partial-${process.pid}`;
  const files: BackupFile[] = [];
  await mkdir(partial, { recursive: true, mode: 0o700 });
  return {
    add: async (part, path, content) => {
      const file = join(partial, path);
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      files.push({ path, part, ...(await writeChecked(file, content)) });
    },
    finish: async (stack, takenAt, parts) => {
      const manifest: Manifest = {
        ...{ format: 'berth-backup/1', stack, takenAt: takenAt.toISOString() },
        ...{ parts: [...parts], files },
      };
      const text = `${JSON.stringify(manifest, null, 2)}\n`;
      await writeFile(join(partial, MANIFEST), text, { mode: 0o600, flush: true });
      await rename(partial, folder);
      return manifest;
    },
    discard: () => rm(partial, { recursive: true, force: true }),
  };
}

async function writeChecked(
  file: string,
  content: Bytes,
): Promise<Pick<BackupFile, 'bytes' | 'sha256'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await open(file, 'wx', 0o600);
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      bytes += chunk.length;
      await handle.writeFile(chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** @throws UserError for a folder that is no backup, and naming each file that is not what the manifest says. */
export async function openBackup(from: string): Promise<Backup> {
  const folder = resolve(from);
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST), 'utf8');
  } catch (cause) {
    throw new UserError(`${from}: is no backup: it has no ${MANIFEST} that can be read`, { cause });
  }
  let manifest: Manifest;
  try {
    manifest = parseManifest(text);
  } catch (cause) {
    throw new UserError(`${join(from, MANIFEST)}: ${messageOf(cause)}`, { cause });
  }
  const problems: string[] = [];
  for (const file of manifest.files) {
    const problem = await problemOf(join(folder, file.path), file);
    if (problem !== undefined) problems.push(`${file.path}: ${problem}`);
  }
  if (problems.length > 0)
    throw new UserError(
      `${from}: is not what was backed up, and nothing was restored:\n  ${problems.join('\n  ')}`,
    );
  return {
    manifest,
    read: (path) => createReadStream(join(folder, path)),
    has: (path) => manifest.files.some((file) => file.path === path),
  };
}

async function problemOf(path: string, { bytes, sha256 }: BackupFile): Promise<string | undefined> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'is missing' : messageOf(error);
  }
  if (size !== bytes) return `has ${size} bytes, and had ${bytes}`;
  return hash.digest('hex') === sha256 ? undefined : 'has another sha256 than it had';
}
