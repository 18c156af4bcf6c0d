import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { V1Deployment } from '@kubernetes/client-node';
import { BEFORE_ANNOTATION } from '../../runtime/experiment/adapters/kube-workloads';
import { EXPERIMENT_NAMESPACE, WORKLOADS } from '../../runtime/experiment/names';
import { parseRounds } from '../../runtime/experiment-report/policy/parse';
import type { EstateCluster } from './support/cluster';
import { estate, estateCluster } from './support/session';
import { waitUntil } from './support/wait-until';

const SHORT_LOAD = 'qps=5,duration=60,prime=5000000,sleep=50,concurrency=50,timeout=120000';

describe('schedulers compared on the estate', function () {
  this.timeout(3_600_000);
  this.bail(true);
  let cluster: EstateCluster;
  let folder: string;

  before(async () => {
    const { checkout } = await estate();
    await checkout.configure((config: Record<string, Record<string, unknown>>) => {
      config['berth:systems'] = { ...config['berth:systems'], experiment: { enabled: true } };
    });
    await checkout.npm('up');
    cluster = await estateCluster();
    folder = await mkdtemp(path.join(tmpdir(), 'berth-results-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const deployments = async (): Promise<V1Deployment[]> =>
    Promise.all(
      WORKLOADS.map(({ deployment: name }) =>
        cluster.apps.readNamespacedDeployment({ name, namespace: EXPERIMENT_NAMESPACE }),
      ),
    );
  async function assertAsDeclared(): Promise<void> {
    for (const { metadata, spec } of await deployments()) {
      assert.equal(spec?.template.spec?.schedulerName, 'default-scheduler');
      assert.equal(metadata?.annotations?.[BEFORE_ANNOTATION], undefined);
    }
    const { items } = await cluster.batch.listNamespacedJob({ namespace: EXPERIMENT_NAMESPACE });
    assert.deepEqual(items, []);
    const { checkout } = await estate();
    const { stdout } = await checkout.npm('preview', ['--json']);
    const { steps } = JSON.parse(stdout) as { steps: { op: string }[] };
    assert.deepEqual(
      steps.filter(({ op }) => op !== 'same'),
      [],
    );
  }

  it('knows the CPU of pods, so that autoscalers work', async () => {
    await waitUntil('an autoscaler that measures', async () => {
      const name = 'wl-hpa';
      const answer = await cluster.custom.getNamespacedCustomObject({
        ...{ group: 'autoscaling', version: 'v2', plural: 'horizontalpodautoscalers' },
        ...{ namespace: EXPERIMENT_NAMESPACE, name },
      });
      const { status } = answer as { status?: { currentMetrics?: unknown[] | null } };
      return (status?.currentMetrics?.length ?? 0) > 0;
    });
  });

  it('gives a report whose figures come from raw data, and leaves the estate as it was', async () => {
    const { checkout } = await estate();
    const out = path.join(folder, 'results');
    const { all } = await checkout.npm('experiment', [
      ...['--schedulers', 'default,cpu-scheduler', '--rounds', '1', '--settle', '10'],
      ...['--load', SHORT_LOAD, '--out', out],
    ]);
    assert.match(all, /report: .*report\.html/);
    const names = (await readdir(path.join(out, 'raw'))).sort();
    assert.equal(names.length, 2);
    const rounds = parseRounds(
      await Promise.all(
        names.map(async (name) => ({
          name,
          text: await readFile(path.join(out, 'raw', name), 'utf8'),
        })),
      ),
    );
    for (const { requests, pods, cpu, placements, dropped } of rounds) {
      // Two services, five requests a second for a minute.
      assert.equal(requests.length + dropped, 600);
      assert.ok(requests.some(({ outcome }) => outcome === 'ok'));
      assert.ok(pods.length > 0);
      assert.ok(cpu.some(({ cpuRatio }) => cpuRatio !== null));
      assert.ok(placements.length >= 2);
    }
    const html = await readFile(path.join(out, 'report.html'), 'utf8');
    for (const name of names) assert.ok(html.includes(`raw/${name}`), name);
    await assertAsDeclared();
  });

  it('leaves the estate as it was when it is stopped amid a load', async () => {
    const { checkout } = await estate();
    const child = spawn(
      process.execPath,
      [
        ...['runtime/cli/berth.mjs', 'experiment', '--schedulers', 'cpu-scheduler'],
        ...[
          '--settle',
          '0',
          '--load',
          'qps=1,duration=3600',
          '--out',
          path.join(folder, 'stopped'),
        ],
      ],
      { cwd: checkout.directory, env: { ...process.env, CI: 'true' }, stdio: 'ignore' },
    );
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      await waitUntil('a load that runs', async () => {
        const selector = 'app.kubernetes.io/name=wl-load-generator';
        const pods = await cluster.pods(EXPERIMENT_NAMESPACE, selector);
        return pods.some(({ status }) => status?.phase === 'Running');
      });
      child.kill('SIGINT');
      assert.equal(await exited, 130);
    } finally {
      child.kill('SIGKILL');
    }
    await assertAsDeclared();
  });
});
