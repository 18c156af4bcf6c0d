import type { Logger } from '../../shared/log';
import type { AnalysisOptions } from '../pose/analyze-image';
import type { Analyzer } from '../ports';
import { WorkerSlot } from './worker-slot';

export interface WorkerPoolOptions {
  /** Path of the worker's bundle. */
  readonly script: string;
  /** How many threads, and so models. */
  readonly workers: number;
  readonly imageTimeoutMs: number;
  readonly analysis: AnalysisOptions;
}

/**
 * An analyzer of worker threads. A thread that dies or takes too long is replaced; the image in its hand gives an
 * error. When a replacement does not start, the analyzer is broken.
 * @throws when a worker cannot load its model.
 */
export async function startWorkerPool(options: WorkerPoolOptions, log: Logger): Promise<Analyzer> {
  const threads = new Set<WorkerSlot>();
  const idle: WorkerSlot[] = [];
  const waiting: ((slot: WorkerSlot) => void)[] = [];
  let closing = false;
  let breakDown: (error: Error) => void = () => undefined;
  const broken = new Promise<never>((_resolve, reject) => {
    breakDown = reject;
  });
  broken.catch(() => undefined);

  const offer = (slot: WorkerSlot): void => {
    const next = waiting.shift();
    if (next === undefined) idle.push(slot);
    else next(slot);
  };
  const start = async (): Promise<void> => {
    const slot = new WorkerSlot(options.script, options.analysis, options.imageTimeoutMs);
    threads.add(slot);
    await slot.ready;
    void slot.ended.then((why) => {
      threads.delete(slot);
      const at = idle.indexOf(slot);
      if (at >= 0) idle.splice(at, 1);
      if (closing) return;
      log.error({ event: 'worker', reason: why }, 'a worker died and is replaced');
      start().catch((error: Error) => {
        if (!closing) breakDown(error);
      });
    });
    offer(slot);
  };
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.all([...threads].map((slot) => slot.end()));
  };
  try {
    await Promise.all(Array.from({ length: options.workers }, start));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    broken,
    close,
    analyze: async (bytes) => {
      const slot = idle.shift() ?? (await new Promise<WorkerSlot>((take) => waiting.push(take)));
      const analysis = await slot.analyze(bytes);
      if (threads.has(slot)) offer(slot);
      return analysis;
    },
  };
}
