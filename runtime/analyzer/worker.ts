import { parentPort, workerData } from 'node:worker_threads';
import { createAnalyzeImage, type AnalysisOptions } from './pose/analyze-image';
import type { FromWorker, ToWorker } from './worker-messages';

/** A thread that analyzes what it is sent, one image at a time. An error that escapes ends the thread. */
async function serve(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('worker.js runs only as a worker thread');
  const analyze = await createAnalyzeImage(workerData as AnalysisOptions);
  const send = (message: FromWorker) => port.postMessage(message);
  port.on('message', ({ bytes }: ToWorker) => {
    void analyze(bytes).then((analysis) => send({ kind: 'done', analysis }));
  });
  send({ kind: 'ready' });
}

void serve();
