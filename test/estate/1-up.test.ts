import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { ANALYZER_APPS, postureJobName, queuedAnalyzerName } from '../../components/plan';
import { estate, estateCluster } from './support/session';
import { readStatus, readyStatus } from './support/status';

const JOBS = ANALYZER_APPS.map(postureJobName);
const SCALED_JOBS = ANALYZER_APPS.map((_, index) => queuedAnalyzerName(index));

describe('npm run up', function () {
  this.timeout(7_200_000);
  this.bail(true);

  it('brings up the estate and ends with a table of ten completed jobs and ten ScaledJobs', async () => {
    const { firstUp } = await estate();
    for (const job of [...JOBS, ...SCALED_JOBS])
      assert.match(firstUp, new RegExp(`${job}\\b.*node-\\d`), job);
  });

  it('placed the ten jobs on at least three nodes, each with real rows', async () => {
    const { checkout } = await estate();
    const { jobs, nodes } = await readyStatus(checkout);
    assert.deepEqual(jobs.map(({ name }) => name).sort(), [...JOBS].sort());
    for (const job of jobs) {
      assert.equal(job.phase, 'Complete', job.name);
      assert.ok(job.images !== null && job.images > 0, `${job.name} analyzed no image`);
      assert.equal((job.good ?? 0) + (job.bad ?? 0) + (job.noPose ?? 0), job.images, job.name);
    }
    assert.ok(new Set(jobs.map(({ node }) => node)).size >= 3, JSON.stringify(jobs));
    assert.deepEqual(
      nodes.filter(({ slot }) => slot !== null).map(({ name, slot, ready }) => [name, slot, ready]),
      [
        ['node-1', 1, true],
        ['node-2', 2, true],
        ['node-3', 3, true],
      ],
    );
  });

  it('keeps the rows of each job and ScaledJob as CSV', async () => {
    const { checkout } = await estate();
    const { jobs, scaledJobs } = await readStatus(checkout);
    const folder = join(checkout.directory, '.berth', 'dev', 'results');
    assert.deepEqual(
      (await readdir(folder)).sort(),
      [...JOBS, ...SCALED_JOBS].map((job) => `${job}.csv`).sort(),
    );
    for (const job of [...jobs, ...scaledJobs]) {
      const text = await readFile(join(folder, `${job.name}.csv`), 'utf8');
      const rows: Record<string, string>[] = parse(text, { columns: true });
      assert.equal(rows.length, job.images, job.name);
      const good = rows.filter(({ posture }) => posture === 'Good').length;
      assert.equal(good, job.good, job.name);
    }
  });

  it('ran every pod of Berth under the restricted level but for the documented host path', async () => {
    const cluster = await estateCluster();
    const namespaces = await cluster.core.listNamespace();
    const level = (name: string) =>
      namespaces.items.find(({ metadata }) => metadata?.name === name)?.metadata?.labels?.[
        'pod-security.kubernetes.io/enforce'
      ];
    assert.equal(level('berth-system'), 'restricted');
    for (const { spec } of await cluster.pods('posture', 'app=posture')) {
      assert.deepEqual(
        spec?.volumes?.flatMap(({ hostPath }) => (hostPath ? [hostPath.path] : [])),
        ['/var/lib/posture/analyzed_images'],
      );
      const analyzer = spec.containers[0]?.securityContext;
      assert.equal(analyzer?.allowPrivilegeEscalation, false);
      assert.deepEqual(analyzer?.capabilities?.drop, ['ALL']);
    }
  });

  it('chose the node of each job by a measured CPU', async () => {
    const cluster = await estateCluster();
    const placed = 'app=posture,!scaledjob.keda.sh/name';
    for (const { metadata } of await cluster.pods('posture', placed))
      assert.match(
        metadata?.annotations?.['cpu-scheduler.berth.dev/node-cpu-ratio'] ?? '',
        /^\d\.\d+$/,
        metadata?.name,
      );
  });

  it('lets plain pulumi preview and read outputs in the shell of the lab', async () => {
    const { checkout } = await estate();
    const shell = (...command: string[]) => checkout.npm('lab:shell', command);
    assert.match((await shell('pulumi', 'preview', '-s', 'dev')).all, /\d+ unchanged/);
    assert.match(
      (await shell('pulumi', 'stack', 'output', 'cpuQuery', '-s', 'dev')).stdout,
      /container_cpu_usage_seconds_total/,
    );
  });

  it('reports no change the second time', async () => {
    const { checkout } = await estate();
    const { all } = await checkout.npm('up');
    assert.match(all, /no change/i);
  });
});
