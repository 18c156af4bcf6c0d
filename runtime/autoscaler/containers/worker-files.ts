import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import type { WorkerTemplate } from './worker-template';

/**
 * The files of every worker as a tar archive, to be unpacked at `/`; undefined where there are none. The same files give
 * the same bytes.
 */
export async function workerFiles({ container }: WorkerTemplate): Promise<Buffer | undefined> {
  const files = Object.entries(container.files).sort(([a], [b]) => (a < b ? -1 : 1));
  if (files.length === 0) return undefined;
  const archive = pack();
  for (const [path, content] of files)
    archive.entry({ name: path.slice(1), mode: 0o644, mtime: new Date(0) }, content);
  archive.finalize();
  return buffer(archive);
}
