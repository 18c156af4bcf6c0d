import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { moduleFolder } from '../programs/build';
import { groupOf } from '../programs/table';

/** Copies the official chart, which is part of the Go module that the program is built from. */
export async function writeMetricsServerChart(folder: string): Promise<void> {
  const module = await moduleFolder(groupOf('metrics-server'), 'sigs.k8s.io/metrics-server');
  const chart = path.join(module, 'charts', 'metrics-server');
  await rm(folder, { recursive: true, force: true });
  for (const entry of await readdir(chart, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = path.join(entry.parentPath, entry.name);
    const to = path.join(folder, path.relative(chart, from));
    await mkdir(path.dirname(to), { recursive: true });
    // Not copied with their modes: the files of Go's module cache cannot be written to.
    await writeFile(to, await readFile(from));
  }
}
