import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Redis } from 'ioredis';
import { autoscalerDashboards } from '../../components/services/autoscaler-dashboards';
import { stackFolder } from '../../runtime/cli/stack-folder';
import { CommandError, run } from '../lab/exec';
import { AutoscalerSystem, TOKEN } from './support/autoscaler-system';
import { Authority } from './support/certificates';
import { createPod, eventually } from './support/kube';
import { startPrometheus } from './support/prometheus';
import { bundleOf, type RunningService } from './support/running-service';

const PERMANENT = 'k3s-worker-1';
/** An address of this machine that an API server's proxy may lead to: loopback is none. */
const ADDRESS =
  Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
const PROJECT = path.join(__dirname, '..', '..');

describe('what people see of a running autoscaler', function () {
  this.timeout(1_800_000);
  let system: AutoscalerSystem;
  let redis: Redis;
  let replica: RunningService;
  let folder: string;

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    folder = await mkdtemp(path.join(tmpdir(), 'berth-people-'));
    system = await AutoscalerSystem.start();
    redis = new Redis(system.redis.url);
    redis.on('error', () => undefined);
    replica = await system.startReplica({ HTTP_HOST: ADDRESS, DECISION_INTERVAL_MS: '100' });
    await replica.leads();
  });
  after(async () => {
    redis?.disconnect();
    await system?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  describe('its dashboards, asked of a real Prometheus that scrapes it', () => {
    let prometheus: Awaited<ReturnType<typeof startPrometheus>>;
    before(async () => {
      const started = replica.lines.find(({ msg }) => msg === 'started');
      prometheus = await startPrometheus(`${ADDRESS}:${String(started?.['metricsPort'])}`);
    });
    after(() => prometheus?.stop());

    /** Values that a query gives now, but those that are no number. */
    const valuesOf = async (expr: string): Promise<readonly number[]> => {
      const query = expr.replaceAll('$__range', '15m');
      const response = await fetch(
        `${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`,
      );
      const answer = (await response.json()) as Answer;
      assert.equal(answer.status, 'success', `${query}: ${answer.error}`);
      return (answer.data?.result ?? [])
        .map(({ value }) => Number(value[1]))
        .filter((value) => Number.isFinite(value));
    };

    for (const [name, dashboard] of Object.entries(autoscalerDashboards()))
      for (const panel of (dashboard.panels ?? []) as Panel[])
        for (const { expr, legendFormat } of panel.targets ?? [])
          it(`${name}: ${panel.title}: ${legendFormat} has data`, () =>
            eventually(expr, async () => (await valuesOf(expr)).length > 0));

    it('show an issue that is made by hand once it is fixed', async () => {
      const pie = panelOf('Issues fixed by type');
      const stale = async () =>
        valuesOf(pie.replace('issues_fixed_total', 'issues_fixed_total{type="missing_redis"}'));
      await eventually('the counter was scraped', async () => (await stale()).length > 0);
      const [before = 0] = await stale();
      await redis.hdel('autoscaler:workers', PERMANENT);
      await eventually('it is fixed', async () => ((await stale())[0] ?? 0) > before);
    });
  });

  describe('its commands, as npm runs them, through the API server', () => {
    const folder = stackFolder(PROJECT, `people-${process.pid}`);
    const plainUrls = { autoscaler: 'http://autoscaler.berth-system.svc:8080' };
    let scripts: Readonly<Record<string, string>>;

    before(async () => {
      const text = await readFile(path.join(PROJECT, 'package.json'), 'utf8');
      ({ scripts } = JSON.parse(text) as { scripts: Record<string, string> });
      await mkdir(folder.root, { recursive: true });
      await writeFile(folder.kubeconfig, system.plane.kubeconfig, { mode: 0o600 });
      await writeFile(folder.outputs, JSON.stringify({ urls: plainUrls }));
      await offer(system, Number(new URL(replica.url).port));
    });
    after(() => rm(folder.root, { recursive: true, force: true }));

    /** What `npm run NAME -- ARGS` prints. */
    const npmRun = async (name: string, ...args: string[]): Promise<string> => {
      const [, script = '', command = ''] = scripts[name]?.split(' ') ?? [];
      const line = [path.join(PROJECT, script), command, '-s', folder.stack, ...args];
      return (await run(process.execPath, line, { cwd: PROJECT })).stdout;
    };
    const json = async (name: string, ...args: string[]): Promise<Record<string, unknown>> =>
      JSON.parse(await npmRun(name, ...args, '--json')) as Record<string, unknown>;

    it('reach a replica that speaks TLS, and nothing but TLS', async () => {
      const authority = await Authority.create('autoscaler-authority');
      const { cert, key } = await authority.issue('autoscaler', 'serverAuth');
      await authority.remove();
      const [certFile, keyFile] = [
        path.join(folder.root, 'tls.crt'),
        path.join(folder.root, 'tls.key'),
      ];
      await writeFile(certFile, cert);
      await writeFile(keyFile, key, { mode: 0o600 });
      const secure = await system.startReplica({
        ...{ HTTP_HOST: ADDRESS, TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile },
      });
      try {
        await assert.rejects(fetch(`${secure.url}/metrics`));
        const name = 'autoscaler-tls';
        await offer(system, Number(new URL(secure.url).port), name);
        const urls = { autoscaler: `https://${name}.berth-system.svc:8080` };
        await writeFile(folder.outputs, JSON.stringify({ urls }));
        const { nodes } = await json('cluster:status');
        assert.equal((nodes as unknown[]).length, 3);
      } finally {
        await writeFile(folder.outputs, JSON.stringify({ urls: plainUrls }));
        await secure.stop();
      }
    });

    it('cluster:status shows the nodes and how it is', async () => {
      const text = await npmRun('cluster:status');
      assert.match(text, /autoscaler: healthy \(leader\)\n/);
      assert.match(text, /last decision: hold, .+ \(2 workers, 0 pods wait for a new one\)/);
      assert.match(text, /k3s-worker-1 +│ permanent worker +│ yes +│ 50\.0 % +│ 50\.0 % /);
      assert.match(text, /server-1 +│ control plane/);
      const { nodes, health } = await json('cluster:status');
      assert.equal((nodes as unknown[]).length, 3);
      assert.equal((health as { status: string }).status, 'healthy');
    });

    it('history shows what was scaled, and what not since then', async () => {
      const ask = { action: 'scale_up', reason: 'for the history' };
      const { status } = await system.post(replica, '/scale', ask);
      assert.equal(status, 202);
      const row = /scale_up +│ done +│ k3s-worker-3 +│ for the history/;
      await eventually('it is there', async () => row.test(await npmRun('history')));
      const since = await json('history', '--since', '2h');
      assert.equal((since['events'] as { worker: string }[])[0]?.worker, 'k3s-worker-3');
      const later = new Date(Date.now() + 3_600_000).toISOString();
      assert.match(await npmRun('history', '--since', later), /nothing was scaled/);
    });

    it('rules:init writes the rules down once', async () => {
      assert.match(
        await npmRun('rules:init'),
        /usage +│ scale_up +│ CPU >= 80 % and memory >= 80 %.*created/,
      );
      const { rules } = await json('rules:init');
      const changes = (rules as { change: string }[]).map(({ change }) => change);
      assert.deepEqual(changes, ['unchanged', 'unchanged', 'unchanged', 'unchanged']);
    });

    it('replay shows where other settings would have decided otherwise', async () => {
      const same = await json('replay', '--since', '1h');
      assert.ok(Number(same['decisions']) > 3);
      const other = ['--set', 'cpu_up=40', '--set', 'memory_up=40', '--since', '1h'];
      const { differences } = await json('replay', ...other);
      const [first] = differences as { was: string; would: string; wouldReason: string }[];
      assert.deepEqual([first?.was, first?.would], ['hold', 'up 1']);
      assert.match(first?.wouldReason ?? '', /CPU 50\.0 % and memory 50\.0 % are high/);
      assert.match(await npmRun('replay', ...other), /\d+ decisions from .+: \d+ would differ/);
    });

    it('say what is wrong in one line, and how they are used', async () => {
      const fails = async (pattern: RegExp, name: string, ...args: string[]) =>
        assert.rejects(npmRun(name, ...args), (error) => {
          assert.ok(error instanceof CommandError);
          assert.match(error.output.stderr, pattern);
          return !error.output.stderr.includes('    at ');
        });
      const names = ['cluster:status', 'history', 'rules:init', 'replay'];
      await Promise.all([
        fails(
          /^error: --set cpu_up=0.7: is a percentage: 70, not 0.7$/m,
          'replay',
          ...['--set', 'cpu_up=0.7'],
        ),
        fails(/^error: --since "soon": must be how long ago/m, 'history', '--since', 'soon'),
        ...names.map(async (name) =>
          assert.match(await npmRun(name, '--help'), /Usage: berth [^]*--stack <name>[^]*--json/),
        ),
      ]);
    });
  });

  describe('its log', () => {
    it('has its cycles in sections where LOG_FORMAT is pretty, and all of its log as JSON in LOG_FILE', async () => {
      await replica.stop();
      const logFile = path.join(folder, 'logs', 'autoscaler.log');
      const more = { LOG_FORMAT: 'pretty', LOG_FILE: logFile, DRY_RUN: 'true' };
      const child = spawn(process.execPath, [await bundleOf('autoscaler')], {
        env: { ...replica.env, ...more },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'close');
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      try {
        await eventually('it has had two cycles', async () => /CYCLE #2 =/.test(text));
      } finally {
        child.kill('SIGTERM');
      }
      assert.deepEqual(await exited, [0, null]);
      assert.match(
        text,
        /={18} AUTOSCALING CYCLE #1 ={18}\n--- METRICS COLLECTION \[.{19}\] ---\nCollected metrics: 3 nodes, 0 pending, CPU: .+\n\n--- SCALING DECISION .+\nDecision: .+\n\n--- SCALING EXECUTION .+\nDry-run mode: Skipping actual scaling execution\n/,
      );
      assert.match(text, /^\[.{19}\] INFO: started/m);
      assert.equal(stripVTControlCharacters(text), text);
      const lines = (await readFile(logFile, 'utf8')).trim().split('\n');
      const logged = lines.map((line) => JSON.parse(line) as { msg: string });
      const cycles = text.match(/AUTOSCALING CYCLE/g) ?? [];
      assert.equal(logged.filter(({ msg }) => msg === 'cycle').length, cycles.length);
      assert.ok(logged.some(({ msg }) => msg === 'became the leader'));
    });
  });
});

/** Makes the Service of the component lead to a port of this machine, and its Secret have the token. */
async function offer({ api }: AutoscalerSystem, port: number, name = 'autoscaler'): Promise<void> {
  const namespace = '/api/v1/namespaces/berth-system';
  const metadata = { name };
  const post = (where: string, body: object) => api.request({ method: 'POST', path: where, body });
  const ports = [{ name: 'http', port }];
  await post(`${namespace}/secrets`, { metadata, stringData: { API_TOKEN: TOKEN } });
  await post(`${namespace}/services`, {
    metadata,
    spec: { ports: [{ name: 'http', port: 8080, targetPort: port }] },
  });
  // The proxy leads to nothing but pods.
  await createPod(api, 'berth-system', name, { spec: { nodeName: 'server-1' } });
  await api.request({
    ...{ method: 'PATCH', path: `${namespace}/pods/${name}/status` },
    contentType: 'application/merge-patch+json',
    body: { status: { phase: 'Running', podIP: ADDRESS, podIPs: [{ ip: ADDRESS }] } },
  });
  const targetRef = { kind: 'Pod', name, namespace: 'berth-system' };
  const subsets = [{ addresses: [{ ip: ADDRESS, targetRef }], ports }];
  await post(`${namespace}/endpoints`, { metadata, subsets });
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}
interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

/** The query of the panel with this title. */
function panelOf(title: string): string {
  const panels = Object.values(autoscalerDashboards()).flatMap((one) => one.panels as Panel[]);
  const [target] = panels.find((panel) => panel.title === title)?.targets ?? [];
  return target?.expr ?? assert.fail(`no panel ${title}`);
}
