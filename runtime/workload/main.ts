import { isMainThread, parentPort } from 'node:worker_threads';
import { systemClock } from '../shared/clock';
import { startHealthServer } from '../shared/health-server';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { serviceMain } from '../shared/service-main';
import { ThreadComputer } from './adapters/thread-computer';
import { addWorkRoutes } from './app';
import { keepBusy } from './busy';
import { workloadMetrics } from './metrics';
import { Admission } from './policy/admission';
import {
  checkWorkloadSettings,
  threadCount,
  workloadSettings,
  type WorkloadSettings,
} from './settings';
import { serveTasks } from './worker';

async function start(settings: WorkloadSettings, log: Logger): Promise<Running> {
  const clock = systemClock;
  const metrics = workloadMetrics();
  const admission = new Admission(settings);
  // The bundle is one file, which knows by its thread what it is.
  const computer = new ThreadComputer(__filename, threadCount(settings), log);
  const burner = new ThreadComputer(__filename, settings.busyThreads, log);
  const over = new AbortController();
  const isHealthy = (): boolean => computer.healthy && burner.healthy;
  let leaving = false;
  const server = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    registry: metrics.registry,
    healthy: () => ({ ok: isHealthy(), detail: { threads: threadCount(settings) } }),
    ready: () => ({
      ok: !leaving && isHealthy(),
      detail: { inFlight: admission.inFlight, stopping: leaving },
    }),
    routes: (app) =>
      addWorkRoutes(app, {
        admission,
        computer,
        clock,
        limits: settings,
        retryAfterSeconds: settings.retryAfterSeconds,
        metrics,
      }),
  });
  const busy = keepBusy(burner, settings.busyThreads, over.signal);
  log.info({ port: server.port, threads: threadCount(settings) }, 'started');
  return {
    stop: async () => {
      leaving = true;
      over.abort();
      await busy;
      await burner.close();
      await clock.sleep(settings.stopDelayMs);
      await admission.stop();
      await server.close();
      await computer.close();
    },
  };
}

if (isMainThread)
  serviceMain({
    name: 'workload',
    summary: 'sleeps, computes and holds memory as each request asks, to give schedulers a load',
    settings: workloadSettings,
    check: checkWorkloadSettings,
    start,
  });
else if (parentPort !== null) serveTasks(parentPort);
