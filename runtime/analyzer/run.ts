import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/log';
import { csvStore } from './adapters/csv-store';
import { ensureWritable, folderGallery } from './adapters/folder-gallery';
import { folderSource } from './adapters/folder-source';
import { MqttSource } from './adapters/mqtt-source';
import { postgresStore } from './adapters/postgres-store';
import { startWorkerPool } from './adapters/worker-pool';
import { Job, type JobEnd } from './loop';
import { Outbox } from './outbox';
import type { ImageSource, RowStore } from './ports';
import { jobName, type AnalyzerSettings } from './settings';
import type { Summary } from './types';

/** How an analyzer ended. */
export interface RunResult {
  readonly summary: Summary;
  readonly end: JobEnd | 'failed';
  /** Why it failed, or what it could not do to the end. */
  readonly error?: string;
}

/** Rows that may wait for a store: some megabytes. */
const OUTBOX_CAPACITY = 10_000;
const CSV_FLUSH_TIMEOUT_MS = 2000;

const message = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

function imageSource(settings: AnalyzerSettings, runId: string, clock: Clock, log: Logger) {
  if (settings.imageDir !== '') return folderSource(settings.imageDir, settings.maxImageBytes);
  return new MqttSource(
    {
      host: settings.mqttBroker,
      port: settings.mqttPort,
      topic: settings.mqttTopic,
      username: settings.mqttUsername,
      password: settings.mqttPassword,
      clientId: `${jobName(settings)}-${runId}`,
      connectTimeoutMs: settings.mqttConnectTimeoutMs,
    },
    clock,
    log,
  );
}

/**
 * Runs one analyzer from its settings to its end. Never rejects: what goes wrong is in the result.
 * `directory` holds worker.js and the assets.
 */
export async function runAnalyzer(
  settings: AnalyzerSettings,
  directory: string,
  environment: { readonly clock: Clock; readonly log: Logger; readonly stop: AbortSignal },
): Promise<RunResult> {
  const { clock, log, stop } = environment;
  const job = jobName(settings);
  const runId = randomBytes(4).toString('hex');
  const startedMs = clock.monotonicMs();
  const outbox = (name: string, store: RowStore) =>
    new Outbox(store, {
      clock,
      capacity: OUTBOX_CAPACITY,
      onFailure: (error, waiting) =>
        log.error({ event: name, waiting, err: error }, `rows wait for the ${name}`),
    });
  try {
    await ensureWritable(settings.outputDir);
    const analyzer = await startWorkerPool(
      {
        script: join(directory, 'worker.js'),
        workers: settings.workers,
        imageTimeoutMs: settings.imageTimeoutMs,
        analysis: {
          assets: join(directory, 'assets'),
          minConfidence: settings.minConfidence,
          maxBytes: settings.maxImageBytes,
          maxPixels: settings.maxImagePixels,
        },
      },
      log,
    );
    const csvPath = settings.csvPath || join(settings.outputDir, `${job}.csv`);
    const csv = outbox('CSV', csvStore(csvPath, clock.nowMs));
    const database = settings.dbEnabled
      ? outbox('database', postgresStore(databaseOptions(settings), log))
      : undefined;
    const source: ImageSource = imageSource(settings, runId, clock, log);
    const running = new Job({
      job,
      node: settings.nodeName,
      runId,
      source,
      analyzer,
      gallery: folderGallery(settings.outputDir),
      csv,
      ...(database && { database }),
      clock,
      log,
      consumers: settings.workers,
      maxImages: settings.maxImages,
      idleTimeoutMs: settings.idleTimeoutMs,
    });
    const ended = await running.run(stop).then(
      (end) => ({ end, error: undefined }),
      (error: unknown) => ({ end: 'failed' as const, error: message(error) }),
    );
    await analyzer.close();
    const unwritten = await csv.close(CSV_FLUSH_TIMEOUT_MS);
    const unsent = (await database?.close(settings.dbFlushTimeoutMs)) ?? 0;
    if (unsent > 0)
      log.error({ event: 'database', unsent }, 'rows are not in the database; the CSV has them');
    const lost =
      unwritten > 0 ? `${unwritten} rows are not in ${csvPath}, only in the log` : undefined;
    const error = ended.error ?? lost;
    return {
      summary: running.summary(),
      end: error === undefined ? ended.end : 'failed',
      ...(error !== undefined && { error }),
    };
  } catch (error) {
    const seconds = Math.round((clock.monotonicMs() - startedMs) / 100) / 10;
    const nothing = { images: 0, good: 0, bad: 0, noPose: 0, errors: 0 };
    return { summary: { ...nothing, seconds }, end: 'failed', error: message(error) };
  }
}

const databaseOptions = (settings: AnalyzerSettings) => ({
  host: settings.dbHost,
  port: settings.dbPort,
  database: settings.dbName,
  user: settings.dbUser,
  password: settings.dbPassword,
});
