import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEstateConfig } from '../../../components/config';
import type { PlatformConfig } from '../../../components/config-schema';
import { run, type CommandOutput } from '../../lab/exec';
import { ensurePrograms } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';
import { only, record } from '../../program/support/record';

/** A chart of the lab, with the values that Berth's component sets for the official one. */
export interface LabChart {
  readonly folder: string;
  /** What a test changes is set back before the next one. */
  values: Record<string, unknown>;
  /** Runs `helm ARGS CHART --values VALUES`. */
  helm(...args: string[]): Promise<CommandOutput>;
}

/**
 * Puts a chart together before the tests of a suite, and removes it after them.
 * @param write makes the chart in a folder
 * @param declare the component that has the release, with every default of the configuration
 */
export function labChart(
  write: (folder: string) => Promise<void>,
  declare: (platform: PlatformConfig) => unknown,
): LabChart {
  let root = '';
  const chart = {
    values: {} as Record<string, unknown>,
    get folder() {
      return path.join(root, 'chart');
    },
    async helm(...args: string[]) {
      const programs = await ensurePrograms(['helm'], consoleReporter());
      const file = path.join(root, 'values.json');
      await writeFile(file, JSON.stringify(chart.values));
      return run(programs.helm, [...args, chart.folder, '--values', file]);
    },
  };
  const setBack = async () => {
    const { platform } = parseEstateConfig({
      values: { nodes: [{ name: 'node-1', slot: 1 }] },
      keys: [],
      secrets: new Set(['clusterToken']),
    });
    const { declared } = await record(() => declare(platform));
    ({ values: chart.values } = only(declared, 'kubernetes:helm.sh/v3:Release').inputs as {
      values: Record<string, unknown>;
    });
  };
  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'berth-chart-'));
    await write(chart.folder);
    await setBack();
  });
  after(() => rm(root, { recursive: true, force: true }));
  beforeEach(setBack);
  return chart;
}
