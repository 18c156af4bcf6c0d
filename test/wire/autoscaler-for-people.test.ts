import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Redis } from 'ioredis';
import { autoscalerDashboards } from '../../components/services/autoscaler-dashboards';
import { AutoscalerSystem } from './support/autoscaler-system';
import { eventually } from './support/kube';
import { startPrometheus } from './support/prometheus';
import { bundleOf, type RunningService } from './support/running-service';

const PERMANENT = 'k3s-worker-1';

describe('what people see of a running autoscaler', function () {
  this.timeout(900_000);
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
    replica = await system.startReplica();
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
      prometheus = await startPrometheus(`127.0.0.1:${String(started?.['metricsPort'])}`);
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

  describe('its log', () => {
    it('has its cycles in sections where LOG_FORMAT is pretty, and all of its log as JSON in LOG_FILE', async () => {
      await replica.stop();
      const logFile = path.join(folder, 'logs', 'autoscaler.log');
      const more = { LOG_FORMAT: 'pretty', LOG_FILE: logFile, DRY_RUN: 'true' };
      const child = spawn(process.execPath, [await bundleOf('autoscaler')], {
        env: { ...replica.env, ...more },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
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
        /={18} AUTOSCALING CYCLE #1 ={18}\n--- METRICS COLLECTION \[.{19}\] ---\nCollected metrics: 2 nodes, 0 pending, CPU: .+\n\n--- SCALING DECISION .+\nDecision: .+\n\n--- SCALING EXECUTION .+\nDry-run mode: Skipping actual scaling execution\n/,
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
