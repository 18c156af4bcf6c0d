import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { buildSync } from 'esbuild';
import type { Summary } from '../../runtime/load-generator/types';
import { freePorts } from './support/free-ports';
import { HeldServer } from './support/held-server';
import { RunningService } from './support/running-service';
import { temporaryFolder } from './support/service-process';

/** Two readings of the clock of one machine, each rounded to a millisecond. */
const CLOCK_MS = 5;

interface Row {
  readonly index: number;
  readonly intendedAtMs: number;
  readonly latencyMs: number;
  readonly serviceTimeMs: number;
  readonly outcome: string;
}

describe('load generator process', function () {
  this.timeout(1_800_000);
  let folder: string;
  let server: HeldServer | undefined;
  const file = (name: string): string => path.join(folder, name);
  const summaryFile = async (): Promise<Summary & { interrupted: boolean }> =>
    JSON.parse(await readFile(file('out.json'), 'utf8')) as Summary & { interrupted: boolean };
  const rows = async (): Promise<Row[]> =>
    (await readFile(file('out.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row)
      .sort((a, b) => a.index - b.index);

  /** Starts it against a port of this machine, with all of its files. */
  const start = (port: number, ...flags: string[]) => {
    const files = ['csv', 'json', 'jsonl'].flatMap((kind) => [`--${kind}`, file(`out.${kind}`)]);
    const args = [file('cli.js'), '--ip', '127.0.0.1', '--port', String(port), ...files, ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const listeners = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        for (const listener of listeners) listener();
      });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const prints = (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => pattern.test(text) && resolve();
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended without ${pattern}:\n${text}`)));
      });
    return { ended, prints, kill: (signal: NodeJS.Signals) => child.kill(signal), out: () => text };
  };

  before(async () => {
    folder = await temporaryFolder('load-generator');
    buildSync({
      entryPoints: [path.join(__dirname, '../../runtime/load-generator/main.ts')],
      bundle: true,
      platform: 'node',
      target: 'node20',
      outfile: file('cli.js'),
      logLevel: 'error',
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  it('counts what the workload itself counted, in every output', async () => {
    const workload = await RunningService.start('workload', { STOP_DELAY_MS: '0' });
    try {
      const flags = '--qps 20 --duration 2 --concurrency 30 --sleep 10 --prime 1000 --bloat 1';
      const run = start(Number(new URL(workload.url).port), ...flags.split(' '));
      assert.equal(await run.ended, 0, run.out());
      const { total, successful, failed, dropped, latency } = await summaryFile();
      assert.deepEqual([total, successful, failed, dropped, latency.count], [40, 40, 0, 0, 40]);
      assert.equal(await workload.metric('workload_requests_total{status="200"}'), 40);
      assert.match(run.out(), /Total Requests: 40\nSuccessful Requests: 40\n[^]*Rate: 100.00%/);
      const all = await rows();
      assert.deepEqual(
        all.map(({ index }) => index),
        Array.from({ length: 40 }, (_, index) => index),
      );
      // The workload slept for 10 ms in each; its timer may fire a little early.
      for (const { serviceTimeMs } of all) assert.ok(serviceTimeMs >= 8, String(serviceTimeMs));
      const csv = (await readFile(file('out.csv'), 'utf8')).trim().split('\n');
      assert.equal(csv.length, 41);
    } finally {
      await workload.stop();
    }
  });

  it('shows a stall in the latencies of all that were due meanwhile, as the server recorded it', async () => {
    server = await HeldServer.start();
    const qps = 20;
    const run = start(
      server.port,
      ...`--qps ${qps} --duration 2 --concurrency 1 --timeout 600000`.split(' '),
    );
    // All were due while the first is held: with one connection the server sees one request.
    await server.arrived(1);
    await run.prints(/Inflight: 1 Waiting: 39 /);
    const releasedAtMs = server.releaseAll();
    assert.equal(await run.ended, 0, run.out());
    const all = await rows();
    assert.equal(all.length, 40);
    assert.equal(server.answeredAtMs.length, 40);
    for (const { index, intendedAtMs, latencyMs } of all) {
      const answeredAtMs = server.answeredAtMs[index] ?? NaN;
      assert.ok(answeredAtMs >= releasedAtMs);
      const leastMs = answeredAtMs - intendedAtMs - CLOCK_MS;
      assert.ok(latencyMs >= leastMs, `request ${index}: ${latencyMs} ms, at least ${leastMs} ms`);
    }
    const { latency, serviceTime } = await summaryFile();
    // From when it was sent only the first is slow: the others were sent when the stall was over.
    const stallMs = releasedAtMs - (all[0]?.intendedAtMs ?? NaN);
    const slow = all.filter(({ intendedAtMs }) => intendedAtMs <= releasedAtMs - stallMs / 2);
    assert.ok(slow.length >= 20, `${slow.length} of 40 were due in the first half of the stall`);
    assert.ok((latency.p50Ms ?? 0) >= stallMs / 2 - CLOCK_MS, String(latency.p50Ms));
    assert.ok((serviceTime.maxMs ?? 0) <= (latency.maxMs ?? 0));
  });

  it('drops what finds no room to wait, and says so', async () => {
    server = await HeldServer.start();
    const flags = '--qps 50 --duration 0.4 --concurrency 2 --max-waiting 1 --timeout 600000';
    const run = start(server.port, ...flags.split(' '));
    await run.prints(/Inflight: 2 Waiting: 1 Dropped: 17 /);
    server.releaseAll();
    assert.equal(await run.ended, 0);
    const { total, successful, dropped, successRatio } = await summaryFile();
    assert.deepEqual([total, successful, dropped, successRatio], [20, 3, 17, 0.15]);
    assert.match(run.out(), /Dropped Requests: 17\nSuccess Rate: 15.00%/);
    assert.equal(server.arrivals, 3);
  });

  it('ends on Ctrl-C with the statistics so far', async () => {
    server = await HeldServer.start();
    const run = start(server.port, ...'--qps 100 --duration 3600 --concurrency 3'.split(' '));
    await server.arrived(3);
    server.releaseFirst();
    await server.arrived(4);
    run.kill('SIGINT');
    assert.equal(await run.ended, 130, run.out());
    assert.match(run.out(), /Final Statistics \(stopped before the end\):/);
    const { interrupted, total, successful, failed, dropped, cancelled } = await summaryFile();
    assert.deepEqual([interrupted, successful, failed], [true, 1, 0]);
    assert.ok(cancelled >= 3);
    assert.equal(total, successful + dropped + cancelled);
  });

  it('counts no broken, late or refused answer as success', async () => {
    const [closed = 0] = await freePorts(1);
    const run = start(closed, ...'--qps 20 --duration 0.5'.split(' '));
    assert.equal(await run.ended, 1);
    const refused = await summaryFile();
    assert.deepEqual(
      [refused.successful, refused.failures],
      [0, { 'connection ECONNREFUSED': 10 }],
    );
    assert.match(run.out(), /connection ECONNREFUSED: 10\n[^]*Success Rate: 0.00%/);

    server = await HeldServer.start();
    const late = start(server.port, ...'--qps 20 --duration 0.5 --timeout 200'.split(' '));
    assert.equal(await late.ended, 1);
    assert.deepEqual((await summaryFile()).failures, { timeout: 10 });
    await server.close();

    const answers = ['200', '503', 'truncated', 'reset', '200'];
    server = await HeldServer.start(answers);
    const mixed = start(server.port, ...'--qps 10 --duration 0.5 --concurrency 1'.split(' '));
    assert.equal(await mixed.ended, 0, mixed.out());
    const outcomes = (await rows()).map(({ outcome }) => outcome.split(' ')[0]);
    assert.deepEqual(outcomes, ['ok', 'status', 'connection', 'connection', 'ok']);
    const { successful, failed, successRatio } = await summaryFile();
    assert.deepEqual([successful, failed, successRatio], [2, 3, 0.4]);
  });

  it('reports all bad flags at once, and sends nothing', async () => {
    const run = start(1, '--qps', 'x', '--nonsense', '--duration', '-1', '--port');
    assert.equal(await run.ended, 2);
    for (const line of [
      '--nonsense: no such option',
      '--port: needs a value',
      '--qps "x": must be',
    ])
      assert.ok(run.out().includes(line), run.out());
    assert.match(run.out(), /--duration "-1": must be/);
  });

  it('sends nothing when a file cannot be written', async () => {
    server = await HeldServer.start();
    const nowhere = file('no-such-folder/out.json');
    const run = start(server.port, '--json', nowhere);
    assert.equal(await run.ended, 1);
    assert.ok(run.out().includes(nowhere), run.out());
    assert.equal(server.arrivals, 0);
  });
});
