import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { etcdUrl } from './control-plane';
import { etcdctl } from './etcd-client';
import { paths } from './paths';

/**
 * `k3s etcd-snapshot save [--name NAME]` and `ls`, on a server with embedded etcd that runs.
 * @returns what is printed
 * @throws Error for any other command or flag
 */
export async function etcdSnapshot(args: readonly string[], nodeName: string): Promise<string> {
  const [verb, ...rest] = args;
  const { values } = parseArgs({ args: rest, options: { name: { type: 'string' } } });
  if (verb === 'save') {
    await mkdir(paths.snapshots, { recursive: true, mode: 0o700 });
    const name = `${values.name ?? 'on-demand'}-${nodeName}-${Math.floor(Date.now() / 1000)}`;
    await etcdctl([etcdUrl], 'snapshot', 'save', path.join(paths.snapshots, name));
    return `Snapshot ${name} saved.\n`;
  }
  if (verb !== 'ls' && verb !== 'list')
    throw new Error(`etcd-snapshot ${verb ?? ''}: known here are save and ls`);
  const names = await readdir(paths.snapshots).catch(() => []);
  const lines = names.sort().map(async (name) => {
    const file = path.join(paths.snapshots, name);
    const { size, mtime } = await stat(file);
    return `${name} file://${file} ${size} ${mtime.toISOString()}`;
  });
  return ['Name Location Size Created', ...(await Promise.all(lines)), ''].join('\n');
}
