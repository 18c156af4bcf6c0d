import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { cacheDir, cached, contentKey } from '../../lab/cache';
import { downloadPackages, unpackPackages } from '../../lab/debian';

const PACKAGES = ['etcd-server'];

/** The path of etcd, unpacked from Debian's package into the lab's cache; nothing is installed. */
export async function ensureEtcd(): Promise<string> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const target = path.join(cacheDir(), 'host', `etcd-${contentKey(arch, ...PACKAGES)}`);
  await cached(target, async (temporary) => {
    await mkdir(temporary, { recursive: true });
    const files = await downloadPackages(arch, PACKAGES, () => undefined);
    const own = files.filter((file) => path.basename(file).startsWith('etcd-server_'));
    await unpackPackages(own, temporary);
  });
  return path.join(target, 'usr', 'bin', 'etcd');
}
