import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { cacheDir, cached, contentKey } from '../../lab/cache';
import { downloadPackages, unpackPackages } from '../../lab/debian';

/** The machine's own, not to be mixed with another release's; and what only compiles queries, and is large. */
const LEFT_OUT =
  /^(libc6|libgcc-s1|gcc-12-base|libcrypt1|libstdc\+\+6|libc-bin|locales|libllvm.*|libz3.*)$/;

/** A Debian package with what it depends on, unpacked and not installed. */
export interface Unpacked {
  /** Folder that holds `usr`. */
  readonly root: string;
  /** Lets its programs find their libraries. */
  readonly env: Readonly<Record<string, string>>;
}

/** Unpacks a package into the lab's cache, unless it is there. Every user may read it. */
async function unpacked(name: string): Promise<Unpacked> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const root = path.join(cacheDir(), 'host', `${name}-${contentKey(arch, name, 'recipe 1')}`);
  await cached(root, async (temporary) => {
    await mkdir(temporary, { recursive: true });
    const files = await downloadPackages(arch, [name], () => undefined);
    const kept = files.filter((file) => !LEFT_OUT.test(path.basename(file).split('_')[0] ?? ''));
    await unpackPackages(kept, temporary);
  });
  const triplet = arch === 'amd64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';
  return { root, env: { LD_LIBRARY_PATH: path.join(root, 'usr', 'lib', triplet) } };
}

/** A program and the environment it wants. */
export interface Program {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Mosquitto, the MQTT broker of Debian. */
export async function ensureMosquitto(): Promise<Program> {
  const { root, env } = await unpacked('mosquitto');
  return { file: path.join(root, 'usr', 'sbin', 'mosquitto'), env };
}

/** Redis of Debian; its server and its tools are one program, which goes by the name it is called by. */
export async function ensureRedis(): Promise<Program> {
  const { root, env } = await unpacked('redis-server');
  return { file: path.join(root, 'usr', 'bin', 'redis-server'), env };
}

/** The folder of PostgreSQL's programs: the machine's, if it has one, else Debian's. */
export async function ensurePostgres(): Promise<Program> {
  const installed = await postgresIn('/');
  if (installed !== undefined) return { file: installed, env: {} };
  const { root, env } = await unpacked('postgresql-15');
  const found = await postgresIn(root);
  if (found === undefined) throw new Error(`${root} holds no PostgreSQL`);
  return { file: found, env };
}

async function postgresIn(root: string): Promise<string | undefined> {
  const folder = path.join(root, 'usr', 'lib', 'postgresql');
  const versions = await readdir(folder).catch(() => []);
  return versions
    .map((version) => path.join(folder, version, 'bin'))
    .find((bin) => existsSync(path.join(bin, 'initdb')));
}

/** shellcheck of Debian. */
export async function ensureShellcheck(): Promise<Program> {
  const { root, env } = await unpacked('shellcheck');
  return { file: path.join(root, 'usr', 'bin', 'shellcheck'), env };
}
