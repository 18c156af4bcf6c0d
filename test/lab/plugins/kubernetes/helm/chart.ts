import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isObject, type Props } from '../../shared';
import type { Helm } from './command';
import { chartArgs, text } from './inputs';

export interface ChartMetadata {
  name: string;
  version: string;
  appVersion?: string;
}

/** What the chart says of itself; fails when it cannot be loaded. */
export async function chartMetadata(helm: Helm, inputs: Props): Promise<ChartMetadata> {
  return parse(await helm('show', 'chart', ...chartArgs(inputs))) as ChartMetadata;
}

/** A digest of a chart on this machine, so that editing it is a change; nothing for a chart from a repository. */
export async function localChecksum(inputs: Props): Promise<string | undefined> {
  const chart = text(inputs.chart);
  const repository = isObject(inputs.repositoryOpts) ? text(inputs.repositoryOpts.repo) : '';
  if (repository !== '' || !existsSync(chart)) return undefined;
  const hash = createHash('sha256');
  if ((await stat(chart)).isFile()) return hash.update(await readFile(chart)).digest('hex');
  if (!existsSync(join(chart, 'Chart.yaml'))) return undefined;
  const entries = await readdir(chart, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  for (const file of files.sort()) {
    hash
      .update(`${file.slice(chart.length)}\0`)
      .update(await readFile(file))
      .update('\0');
  }
  return hash.digest('hex');
}
