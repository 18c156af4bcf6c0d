import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { StoredResult } from '../bench/report';
import { temporaryFolder } from './support/service-process';

const ROOT = path.join(__dirname, '../..');
const run = promisify(execFile);

describe('npm run bench -- --quick', function () {
  this.timeout(1_800_000);
  let folder: string;
  let printed: string;

  before(async () => {
    folder = await temporaryFolder('bench');
    const tsx = ['--import', 'tsx', path.join(ROOT, 'test/bench/run.ts')];
    const only = ['--only', 'prober', '--only', 'up', '--nodes', '10', '--results', folder];
    // No estate is up there.
    const env = { ...process.env, BERTH_ESTATE_CHECKOUT: folder };
    const { stdout } = await run(process.execPath, [...tsx, '--quick', ...only], { env });
    printed = stdout;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const resultOf = async (name: string): Promise<StoredResult> =>
    JSON.parse(await readFile(path.join(folder, `${name}.json`), 'utf8')) as StoredResult;

  it('leaves rows with peers and ratios, goals, and how busy the machine was', async () => {
    const { options, rows, goals, raw, machine } = await resultOf('prober');
    assert.equal(options.quick, true);
    const of = (peer: string) => rows.find((row) => row['prober'] === `${peer}, 10 nodes`);
    const [ours, all] = [of('8 landmarks'), of('every node pings every other')];
    assert.equal(ours?.['pairs_per_round'], 80);
    assert.equal(all?.['pairs_per_round'], 90);
    assert.equal(all?.['ratio_to_all_pairs'], 1);
    assert.ok(Number(ours?.['ratio_to_all_pairs']) > 0);
    const [cost] = goals;
    assert.equal(cost?.met, true);
    assert.match(cost?.peer ?? '', /^90, every node/);
    assert.ok(raw !== undefined && machine.before.loadAverages.length === 3);
  });

  it('prints each goal as met or missed, and what could not be measured as such', () => {
    assert.match(printed, /goal met: prober: pairs/);
    assert.match(printed, /(goal met|GOAL MISSED): prober: measured latency/);
    assert.match(printed, /not measured: whole estate: .*no estate is up/);
  });
});
