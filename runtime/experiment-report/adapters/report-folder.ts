import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildReport } from '../report';
import type { RawFile } from '../types';

/** The raw files of a folder: `raw/*.jsonl`, by name. */
export async function readRawFiles(folder: string): Promise<RawFile[]> {
  const names = await readdir(join(folder, 'raw'));
  const raw = names.filter((name) => name.endsWith('.jsonl')).sort();
  return Promise.all(
    raw.map(async (name) => ({
      name: `raw/${name}`,
      text: await readFile(join(folder, 'raw', name), 'utf8'),
    })),
  );
}

/** Writes the report of a folder's raw files beside them. Gives the paths of what was written. */
export async function writeReport(folder: string): Promise<string[]> {
  const written: string[] = [];
  for (const [name, text] of buildReport(await readRawFiles(folder))) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    written.push(path);
  }
  return written;
}
