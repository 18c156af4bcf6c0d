import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pino } from 'pino';
import { startWorkerPool } from '../../runtime/analyzer/adapters/worker-pool';
import type { Analyzer } from '../../runtime/analyzer/ports';
import { temporaryFolder } from './support/service-process';

/** A worker that speaks the analyzer's messages and does with the first byte what it says. */
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const fs = require('node:fs');
if (fs.existsSync(workerData.assets + '/poison')) throw new Error('the model is broken');
parentPort.on('message', ({ bytes }) => {
  if (bytes[0] === 1) process.exit(3);
  if (bytes[0] === 2) throw new Error('the decoder has a bug');
  if (bytes[0] === 3) for (;;);
  if (bytes[0] === 4) { const all = []; for (;;) all.push(new Array(1e6).fill(Math.random())); }
  parentPort.postMessage({ kind: 'done', analysis: { kind: 'error', reason: 'seen ' + bytes[0] } });
});
parentPort.postMessage({ kind: 'ready' });
`;

describe('analyzer worker threads', () => {
  let folder: string;
  let analyzer: Analyzer | undefined;
  const start = async (workers: number, imageTimeoutMs = 60_000): Promise<Analyzer> => {
    const script = path.join(folder, 'worker.js');
    await writeFile(script, WORKER);
    const analysis = { assets: folder, minConfidence: 0.3, maxBytes: 1, maxPixels: 1 };
    analyzer = await startWorkerPool(
      { script, workers, imageTimeoutMs, analysis },
      pino({ level: 'silent' }),
    );
    return analyzer;
  };
  const reasonOf = async (pool: Analyzer, byte: number): Promise<string> => {
    const analysis = await pool.analyze(Uint8Array.of(byte));
    assert.ok(analysis.kind === 'error');
    return analysis.reason;
  };
  beforeEach(async () => {
    folder = await temporaryFolder('workers');
  });
  afterEach(async () => {
    await analyzer?.close();
    await rm(folder, { recursive: true });
  });

  const deaths: readonly (readonly [string, number, RegExp])[] = [
    ['ends', 1, /^the worker died: exit code 3$/],
    ['fails with a bug', 2, /^the worker died: the decoder has a bug$/],
    ['never answers', 3, /^the worker died: no answer within 10000 ms$/],
    ['runs out of memory', 4, /^the worker died: .*memory/i],
  ];
  for (const [what, byte, reason] of deaths)
    it(`makes an error of the image on which a worker ${what}, and replaces the worker`, async () => {
      const pool = await start(1, byte === 3 ? 10_000 : undefined);
      assert.match(await reasonOf(pool, byte), reason);
      assert.equal(await reasonOf(pool, 7), 'seen 7');
    }).timeout(300_000);

  it('answers each image with its own result, however many wait', async () => {
    const pool = await start(2);
    const bytes = Array.from({ length: 40 }, (_, index) => 10 + index);
    const reasons = await Promise.all(bytes.map((byte) => reasonOf(pool, byte)));
    assert.deepEqual(
      reasons,
      bytes.map((byte) => `seen ${byte}`),
    );
  }).timeout(600_000);

  it('does not start when the model cannot be loaded', async () => {
    await writeFile(path.join(folder, 'poison'), '');
    await assert.rejects(start(2), /a worker did not start: the model is broken/);
  }).timeout(600_000);

  it('says that it is broken when a replacement does not start', async () => {
    const pool = await start(1);
    await writeFile(path.join(folder, 'poison'), '');
    assert.match(await reasonOf(pool, 1), /died/);
    await assert.rejects(pool.broken, /the model is broken/);
  }).timeout(600_000);
});
