import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { parse } from 'csv-parse/sync';
import { stackFolder } from '../../runtime/cli/stack-folder';
import { BEFORE_ANNOTATION } from '../../runtime/experiment/adapters/kube-workloads';
import { EXPERIMENT_NAMESPACE, SCHEDULER_NAMES, WORKLOADS } from '../../runtime/experiment/names';
import { BindingWatch } from './support/binding-watch';
import type { EstateCluster } from './support/cluster';
import {
  figuresFromRaw,
  linesOf,
  readRaw,
  type RawLine,
  type RawPlacement,
} from './support/raw-figures';
import { estate, estateCluster } from './support/session';
import { waitUntil } from './support/wait-until';

/** A minute of requests for each scheduler would say more; here they only have to be all there. */
const QPS = 5;
const DURATION_S = 15;
const LOAD = `qps=${QPS},duration=${DURATION_S},prime=200000,bloat=5,sleep=50,concurrency=50,timeout=60000`;

describe('schedulers compared on the estate', function () {
  this.timeout(3_600_000);
  this.bail(true);
  let cluster: EstateCluster;
  let out: string;
  /** Every pod that was placed meanwhile, by name. */
  const seen = new Map<string, V1Pod>();
  /** Lines of each raw file, by its name. */
  const raw = new Map<string, RawLine[]>();

  before(async () => {
    const { checkout } = await estate();
    await checkout.configure((config: Record<string, Record<string, unknown>>) => {
      config['berth:systems'] = { ...config['berth:systems'], experiment: { enabled: true } };
    });
    await checkout.npm('up');
    cluster = await estateCluster();
    out = await mkdtemp(path.join(tmpdir(), 'berth-results-'));
  });
  after(() => rm(out, { recursive: true, force: true }));

  const deployments = (): Promise<V1Deployment[]> =>
    Promise.all(
      WORKLOADS.map(({ deployment: name }) =>
        cluster.apps.readNamespacedDeployment({ name, namespace: EXPERIMENT_NAMESPACE }),
      ),
    );
  async function assertAsBefore(): Promise<void> {
    for (const { metadata, spec } of await deployments()) {
      assert.equal(spec?.template.spec?.schedulerName, 'default-scheduler');
      assert.ok((spec.replicas ?? 0) >= 1, metadata?.name);
      assert.equal(metadata?.annotations?.[BEFORE_ANNOTATION], undefined);
    }
    const { items } = await cluster.batch.listNamespacedJob({ namespace: EXPERIMENT_NAMESPACE });
    assert.deepEqual(items, []);
  }

  it('sends each scheduler the same load, and leaves the estate as it was', async () => {
    const { checkout } = await estate();
    const names = WORKLOADS.map(({ deployment }) => deployment).join();
    const watch = await BindingWatch.start(
      cluster,
      EXPERIMENT_NAMESPACE,
      `app.kubernetes.io/name in (${names})`,
    );
    watch.onBound = (pod) => seen.set(pod.metadata?.name ?? '', pod);
    try {
      const { all } = await checkout.npm('experiment', [
        ...['--schedulers', 'default,cpu-scheduler,latency-aware-scheduler', '--rounds', '1'],
        ...['--settle', '2', '--load', LOAD, '--out', out],
      ]);
      assert.match(all, /report: .*report\.html/);
    } finally {
      await watch.stop();
    }
    for (const name of await readdir(path.join(out, 'raw')))
      raw.set(`raw/${name}`, readRaw(await readFile(path.join(out, 'raw', name), 'utf8')));
    const heads = [...raw.values()].flatMap((lines) =>
      linesOf<{ scheduler: string; dropped: number }>(lines, 'round'),
    );
    assert.deepEqual(heads.map(({ scheduler }) => scheduler).sort(), [...SCHEDULER_NAMES].sort());
    for (const [file, lines] of raw) {
      const requests = linesOf<{ service: string; outcome: string }>(lines, 'request');
      const { dropped = 0 } = linesOf<{ dropped?: number }>(lines, 'round')[0] ?? {};
      assert.equal(requests.length + dropped, WORKLOADS.length * QPS * DURATION_S, file);
      for (const { service } of WORKLOADS) {
        const own = requests.filter((one) => one.service === service);
        assert.ok(
          own.some(({ outcome }) => outcome === 'ok'),
          `${file}: ${service}`,
        );
      }
    }
    await assertAsBefore();
  });

  it('placed the pods of each round by its scheduler, on the nodes and at the times that it says', () => {
    let timed = 0;
    for (const [file, lines] of raw) {
      const [head] = linesOf<{ scheduler: string }>(lines, 'round');
      const placements = linesOf<RawPlacement>(lines, 'placement');
      assert.ok(placements.length >= WORKLOADS.length, file);
      for (const { pod: name, node, created, bound } of placements) {
        const pod = seen.get(name);
        assert.equal(pod?.spec?.schedulerName, head?.scheduler, name);
        assert.equal(pod?.spec?.nodeName, node, name);
        if (created === null || bound === null) continue;
        timed += 1;
        // The API's own time is the second in which it was created.
        const secondMs = Date.parse(String(pod?.metadata?.creationTimestamp));
        const told = JSON.stringify({ name, secondMs, created, bound });
        assert.ok(created.notBeforeMs < secondMs + 1000 && created.notAfterMs >= secondMs, told);
        assert.ok(bound.notAfterMs > created.notBeforeMs, told);
      }
    }
    assert.ok(timed >= raw.size, `${timed} placements have times`);
  });

  it('gives a report of which every figure can be computed again from its raw data', async () => {
    const figures = new Map([...raw].map(([file, lines]) => [file, figuresFromRaw(lines)]));
    const csv = parse(await readFile(path.join(out, 'figures.csv'), 'utf8'), {
      columns: true,
    }) as Record<string, string>[];
    assert.deepEqual(csv.map(({ file }) => file).sort(), [...raw.keys()].sort());
    for (const row of csv) {
      const { file = '' } = row;
      const written = Object.fromEntries(
        Object.entries(row).filter(([name]) => !['file', 'scheduler', 'round'].includes(name)),
      );
      const own = figures.get(file) ?? {};
      assert.deepEqual(Object.keys(written), Object.keys(own));
      for (const [name, text] of Object.entries(written)) {
        const value = own[name];
        const told = `${file}: ${name}: ${text}, not ${value}`;
        if (value === undefined) assert.equal(text, '', told);
        else assert.ok(text !== '' && Math.abs(Number(text) - value) < 1e-6, told);
      }
    }
    // With one round each, the medians are the rounds.
    const html = await readFile(path.join(out, 'report.html'), 'utf8');
    const rows = [...html.matchAll(/<tr>(.*?)<\/tr>/g)]
      .map(([, row = '']) => [...row.matchAll(/<td title="([^"]*)">([^<]*)<\/td>/g)])
      .filter((cells) => cells.length > 0);
    assert.equal(rows.length, 2 * raw.size);
    for (const cells of rows) {
      const own = Object.values(figures.get(cells[0]?.[1] ?? '') ?? {});
      assert.equal(cells.length, own.length);
      for (const [index, [, , text = '']] of cells.entries()) {
        const value = own[index];
        if (value === undefined) assert.equal(text, 'unknown');
        else assert.ok(Math.abs(Number(text) - value) <= 0.5 && text !== '', `${text}: ${value}`);
      }
    }
  });

  it('lets autoscalers know the CPU of pods', async () => {
    await waitUntil('autoscalers that measure', async () => {
      const answers = await Promise.all(
        WORKLOADS.map(({ autoscaler: name }) =>
          cluster.custom.getNamespacedCustomObject({
            ...{ group: 'autoscaling', version: 'v2', plural: 'horizontalpodautoscalers' },
            ...{ namespace: EXPERIMENT_NAMESPACE, name },
          }),
        ),
      );
      return (answers as { status?: { currentMetrics?: unknown[] | null } }[]).every(
        ({ status }) => (status?.currentMetrics?.length ?? 0) > 0,
      );
    });
  });

  it('puts back what an experiment that was killed has left', async () => {
    const { checkout } = await estate();
    const folder = stackFolder(checkout.directory, 'dev');
    const child = spawn(
      process.execPath,
      [
        ...['runtime/cli/berth.mjs', 'experiment', '--schedulers', 'cpu-scheduler'],
        ...['--load', 'qps=1,duration=600', '--out', path.join(out, 'killed')],
      ],
      { cwd: checkout.directory, env: { ...process.env, CI: 'true' }, stdio: 'ignore' },
    );
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // They have no pods for a moment only, but are another's for as long as it runs.
    await waitUntil('Deployments that are not what they were', async () =>
      (await deployments()).every(
        ({ metadata, spec }) =>
          metadata?.annotations?.[BEFORE_ANNOTATION] !== undefined &&
          (spec?.replicas === 0 || spec?.template.spec?.schedulerName !== 'default-scheduler'),
      ),
    );
    const { pid } = JSON.parse(await readFile(folder.runLock, 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await exited;
    for (const { metadata } of await deployments())
      assert.ok(metadata?.annotations?.[BEFORE_ANNOTATION] !== undefined, metadata?.name);
    await checkout.npm('experiment', ['--restore']);
    await assertAsBefore();
  });
});
