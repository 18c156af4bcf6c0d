import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { cacheDir, cached, contentKey } from '../cache';
import { HOST_LIBRARIES, libraryFolder, unpackHostPrograms, type DebianArch } from '../debian';
import { which } from '../exec';
import type { Reporter } from '../report';

/** What the lab runs on the host itself. Debian 12 has Docker 20.10. */
const PACKAGES = [
  'containerd',
  'docker-registry',
  'docker.io',
  'iproute2',
  'iptables',
  'runc',
  'util-linux',
];

/** Needed besides, and part of every Debian: without them nothing here can be unpacked or started. */
const HOST_COMMANDS = ['apt-get', 'dpkg-deb', 'flock', 'setsid', 'tar'];

const HOST_ARCH: Partial<Record<NodeJS.Architecture, DebianArch>> = {
  x64: 'amd64',
  arm64: 'arm64',
};

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where the host side's commands are. */
export interface HostTools {
  /** Environment for every command of the lab's engine: PATH with the unpacked packages first, and their libraries. */
  readonly env: Readonly<Record<string, string>>;
  /** The Docker command line of the lab's engine. */
  readonly docker: string;
}

/**
 * Unpacks dockerd, containerd, runc, docker-registry, iptables and what they need into the cache. Nothing is installed:
 * the machine's own Docker, its services and its package state stay as they are.
 * @throws Error in one line: what is missing, why, and what brings it
 */
export async function ensureHostPackages(reporter: Reporter): Promise<HostTools> {
  const arch = await requireHost();
  const target = unpackedAt(arch);
  if (!existsSync(target)) {
    await reporter.step('unpack Docker engine and registry', (detail) =>
      cached(
        target,
        async (temporary) => {
          await unpackHostPrograms(arch, PACKAGES, temporary, detail);
          await chooseIptables(temporary);
        },
        () => detail('waits for its turn'),
      ),
    );
  }
  return hostTools(target, arch);
}

/** What {@link ensureHostPackages} unpacked before; the machine's own commands where it did not: enough to end a lab. */
export function currentHostTools(): HostTools {
  const arch = debianArch();
  const target = unpackedAt(arch);
  if (existsSync(target)) return hostTools(target, arch);
  return { docker: 'docker', env: { PATH: `${process.env['PATH'] ?? ''}:${SYSTEM_PATH}` } };
}

function unpackedAt(arch: DebianArch): string {
  const key = contentKey(arch, ...PACKAGES, HOST_LIBRARIES.source, 'recipe 1');
  return path.join(cacheDir(), 'host', key);
}

/** In an installed Debian these links are made by install scripts. */
async function chooseIptables(root: string): Promise<void> {
  for (const command of ['iptables', 'iptables-save', 'iptables-restore']) {
    const link = path.join(root, 'usr', 'sbin', command);
    if (!existsSync(link)) await symlink('xtables-nft-multi', link);
    const six = path.join(root, 'usr', 'sbin', command.replace('iptables', 'ip6tables'));
    if (!existsSync(six)) await symlink('xtables-nft-multi', six);
  }
}

function hostTools(root: string, arch: DebianArch): HostTools {
  const libraries = libraryFolder(root, arch);
  return {
    docker: path.join(root, 'usr', 'bin', 'docker'),
    env: {
      PATH: `${path.join(root, 'usr', 'sbin')}:${path.join(root, 'usr', 'bin')}:${process.env['PATH'] ?? ''}:${SYSTEM_PATH}`,
      LD_LIBRARY_PATH: libraries,
      XTABLES_LIBDIR: path.join(libraries, 'xtables'),
    },
  };
}

/**
 * Checks that this machine can run a lab at all.
 * @returns Debian's name of its processor
 * @throws Error in one line: what is missing, why, and what brings it
 */
export async function requireHost(): Promise<DebianArch> {
  requireRoot();
  for (const command of HOST_COMMANDS) {
    if ((await which(command)) === undefined) {
      throw new Error(
        `${command} is missing: the lab unpacks Debian packages with it; run the lab on Debian 12`,
      );
    }
  }
  return debianArch();
}

/** @throws Error where the lab could not make network namespaces, mounts and cgroups */
function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new Error(
    'the lab needs root, for network namespaces, mounts and cgroups: run the same command with sudo -E',
  );
}

/** Debian's name of this machine's processor. @throws Error in one line where the lab does not run on it */
export function debianArch(): DebianArch {
  const arch = HOST_ARCH[process.arch];
  if (process.platform === 'linux' && arch !== undefined) return arch;
  throw new Error(
    `the lab runs on Linux on amd64 or arm64, and this is ${process.platform} on ${process.arch}`,
  );
}
