import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDir, withLock } from './cache';
import { CommandError, run } from './exec';

/** Debian's names of the processors that the lab makes images for. */
export type DebianArch = 'amd64' | 'arm64';

/** Package lists older than this are fetched again before anything is looked up in them. */
const LISTS_MAX_AGE_MS = 3 * 24 * 3_600_000;

/** What a folder of unpacked packages never needs: they only serve packages' install scripts, which are not run. */
const INSTALL_TIME_ONLY =
  /^(debconf|dpkg|adduser|perl(-.*)?|libperl.*|lib.*-perl|libgdbm.*|libdb5\.3|usrmerge|init-system-helpers|lsb-base|sysvinit-utils|sensible-utils|ucf|libdebconfclient0)$/;

/**
 * Packages and all that they depend on, as files in the cache. Nothing is installed: apt works on an empty state of its
 * own, with this machine's mirrors, keys and proxies.
 * @param packages names; what only install scripts need is left out unless it is named
 * @returns paths of .deb files
 */
export async function downloadPackages(
  arch: DebianArch,
  packages: readonly string[],
  detail: (text: string) => void,
): Promise<string[]> {
  const root = path.join(cacheDir(), 'apt', arch);
  await mkdir(root, { recursive: true });
  return withLock(path.join(root, '.lock'), async () => {
    const options = await aptOptions(root, arch);
    const fresh = await updateLists(root, options, false, detail);
    try {
      return await fetchPackages(root, options, packages, detail);
    } catch (error) {
      // A list that is a day old may name versions that the mirror has replaced since.
      if (fresh || !(error instanceof CommandError)) throw error;
      await updateLists(root, options, true, detail);
      return fetchPackages(root, options, packages, detail);
    }
  });
}

/** Unpacks packages over a folder, whose `bin`, `sbin` and `lib` become links into `usr` as on any Debian. */
export async function unpackPackages(files: readonly string[], folder: string): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib']) {
    await mkdir(path.join(folder, 'usr', name), { recursive: true });
    await run('ln', ['-sfn', `usr/${name}`, path.join(folder, name)]);
  }
  await mkdir(path.join(folder, 'usr', 'lib64'), { recursive: true });
  await run('ln', ['-sfn', 'usr/lib64', path.join(folder, 'lib64')]);
  const script =
    'dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" --keep-directory-symlink --numeric-owner -p';
  for (const file of files) await run('/bin/sh', ['-c', script, file, folder]);
}

/** The host's own, always there, and not to be mixed with another release's. */
export const HOST_LIBRARIES = /^(libc6|libgcc-s1|gcc-12-base|libcrypt1|libstdc\+\+6|libc-bin)$/;

/** Unpacks programs that this machine itself runs, with the libraries that they find in {@link libraryFolder}. */
export async function unpackHostPrograms(
  arch: DebianArch,
  packages: readonly string[],
  folder: string,
  detail: (text: string) => void,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = await downloadPackages(arch, packages, detail);
  const kept = files.filter(
    (file) => !HOST_LIBRARIES.test(path.basename(file).split('_')[0] ?? ''),
  );
  detail(`${kept.length} packages`);
  await unpackPackages(kept, folder);
}

/** Where unpacked packages have their libraries. */
export const libraryFolder = (root: string, arch: DebianArch): string =>
  path.join(root, 'usr', 'lib', arch === 'amd64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu');

async function fetchPackages(
  root: string,
  options: readonly string[],
  packages: readonly string[],
  detail: (text: string) => void,
): Promise<string[]> {
  // With `usr-is-merged` named, nothing asks for the package that merges /usr at install time.
  const wanted = [...new Set([...packages, 'usr-is-merged'])].sort();
  const { stdout } = await run('apt-get', [
    ...options,
    ...['install', '-qq', '--yes', '--no-install-recommends', '--print-uris', ...wanted],
  ]);
  const names = [...stdout.matchAll(/^'[^']+' (\S+\.deb) /gm)].map((match) => match[1] ?? '');
  const kept = names.filter((file) => {
    const name = file.split('_')[0] ?? '';
    return packages.includes(name) || !INSTALL_TIME_ONLY.test(name);
  });
  const files = kept.map((file) => path.join(root, 'packages', file));
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) {
    detail(`${missing.length} Debian packages to fetch`);
    const exact = missing.map((file) => {
      const [name = '', version = ''] = path.basename(file).split('_');
      return `${name}=${decodeURIComponent(version)}`;
    });
    // Into a folder of its own first: a file in `packages` is whole.
    const incoming = path.join(root, 'incoming');
    await rm(incoming, { recursive: true, force: true });
    await mkdir(incoming);
    await run('apt-get', [...options, 'download', '-qq', ...exact], { cwd: incoming });
    for (const file of missing) await rename(path.join(incoming, path.basename(file)), file);
  }
  return files;
}

/** @returns whether the lists were fetched */
async function updateLists(
  root: string,
  options: readonly string[],
  force: boolean,
  detail: (text: string) => void,
): Promise<boolean> {
  const stamp = path.join(root, 'updated');
  if (!force && existsSync(stamp)) {
    const ageMs = Date.now() - (await stat(stamp)).mtimeMs;
    if (ageMs < LISTS_MAX_AGE_MS) return false;
  }
  detail('package lists');
  await run('apt-get', [...options, 'update', '-qq']);
  await writeFile(stamp, '');
  return true;
}

async function aptOptions(root: string, arch: DebianArch): Promise<string[]> {
  await mkdir(path.join(root, 'lists', 'partial'), { recursive: true });
  // apt lists no address of a package that lies in its own archives: what was fetched is kept apart.
  await mkdir(path.join(root, 'archives', 'partial'), { recursive: true });
  await mkdir(path.join(root, 'packages'), { recursive: true });
  await writeFile(path.join(root, 'status'), '');
  const sources = path.join(root, 'sources.list');
  await writeFile(sources, `${(await debianSources()).join('\n')}\n`);
  const settings = {
    'APT::Architecture': arch,
    'APT::Architectures': arch,
    'Dir::State::status': path.join(root, 'status'),
    'Dir::State::extended_states': path.join(root, 'extended_states'),
    'Dir::State::lists': path.join(root, 'lists'),
    'Dir::Cache': root,
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    // The cache lies in the user's home, where apt's own user may not read; and its lock is ours.
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': 'true',
    'Acquire::Retries': '3',
    'Acquire::Languages': 'none',
    // Hooks of the machine's own apt are for what is installed on it.
    'APT::Update::Post-Invoke-Success': '',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/**
 * The Debian archives that this machine's apt uses, without those of third parties.
 * @throws Error in one line on a machine that is not a Debian with sources for its release
 */
async function debianSources(): Promise<string[]> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const codename = /^VERSION_CODENAME="?([a-z]+)/m.exec(release)?.[1];
  const advice =
    'the lab takes dockerd, runc and the parts of its images from Debian packages: run it on Debian 12';
  if (!/^ID="?debian"?$/m.test(release) || codename === undefined) {
    throw new Error(`this is not Debian; ${advice}`);
  }
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const { stdout } = await run('apt-get', [
    'indextargets',
    '--format',
    format,
    'Created-By: Packages',
  ]);
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : '';
  const sources = new Set<string>();
  for (const line of stdout.trim().split('\n')) {
    const [uri = '', suite = '', component] = line.split(' ');
    if (component !== 'main' || uri.startsWith('cdrom:')) continue;
    if (suite === codename || suite.startsWith(`${codename}-`)) {
      sources.add(`deb ${signed}${uri} ${suite} main`);
    }
  }
  if (sources.size === 0) {
    throw new Error(`apt has no source for Debian ${codename}; ${advice} with sources in /etc/apt`);
  }
  return [...sources];
}
