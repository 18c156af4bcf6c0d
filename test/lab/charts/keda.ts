import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { moduleFolder } from '../programs/build';
import { groupOf } from '../programs/table';
import { copyTemplates } from './assembled';

/**
 * Puts the lab's chart of KEDA together: the templates beside this file, and KEDA's own definitions of its resources,
 * which are read from the Go module that its operator is built from.
 */
export async function writeKedaChart(folder: string): Promise<void> {
  const sources = await moduleFolder(groupOf('keda'), 'github.com/kedacore/keda/v2');
  const bases = path.join(sources, 'config', 'crd', 'bases');
  await copyTemplates('keda', folder);
  const definitions = path.join(folder, 'definitions');
  await mkdir(definitions);
  for (const name of await readdir(bases)) {
    // Not copied with their modes: the files of Go's module cache cannot be written to.
    await writeFile(path.join(definitions, name), await readFile(path.join(bases, name)));
  }
}
