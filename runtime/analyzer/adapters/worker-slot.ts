import { Worker } from 'node:worker_threads';
import type { Analysis } from '../types';
import type { FromWorker, ToWorker } from '../worker-messages';

const MEMORY_LIMIT_MB = 512;

/** One worker thread, which analyzes one image at a time. */
export class WorkerSlot {
  /** Resolves when the model is loaded; rejects when the thread ends before. */
  readonly ready: Promise<void>;
  /** Resolves when the thread has ended, with the reason. */
  readonly ended: Promise<string>;
  private readonly worker: Worker;
  private answer: ((analysis: Analysis) => void) | undefined;
  private failure: string | undefined;

  constructor(
    script: string,
    workerData: unknown,
    private readonly imageTimeoutMs: number,
  ) {
    this.worker = new Worker(script, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_LIMIT_MB },
    });
    this.worker.on('error', (error: unknown) => {
      this.failure ??= error instanceof Error ? error.message : String(error);
    });
    this.ended = new Promise((resolve) => {
      this.worker.on('exit', (code) => resolve(this.failure ?? `exit code ${code}`));
    });
    this.ready = new Promise((resolve, reject) => {
      this.worker.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') resolve();
        else this.answer?.(message.analysis);
      });
      void this.ended.then((why) => reject(new Error(`a worker did not start: ${why}`)));
    });
    // Whoever does not wait for `ready` learns of the end through `ended`.
    this.ready.catch(() => undefined);
  }

  /** Analyzes an image; the thread ends when that takes too long. Never rejects. */
  async analyze(bytes: Uint8Array): Promise<Analysis> {
    const timer = setTimeout(() => {
      this.failure = `no answer within ${this.imageTimeoutMs} ms`;
      void this.worker.terminate();
    }, this.imageTimeoutMs);
    const died = this.ended.then((why): Analysis => {
      return { kind: 'error', reason: `the worker died: ${why}` };
    });
    const answered = new Promise<Analysis>((resolve) => {
      this.answer = resolve;
    });
    const message: ToWorker = { bytes };
    this.worker.postMessage(message);
    const analysis = await Promise.race([answered, died]);
    clearTimeout(timer);
    this.answer = undefined;
    return analysis;
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
