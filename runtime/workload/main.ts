import { isMainThread, parentPort } from 'node:worker_threads';
import { systemClock } from '../shared/clock';
import { startHealthServer } from '../shared/health-server';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { serviceMain } from '../shared/service-main';
import { ThreadComputer } from './adapters/thread-computer';
import { addWorkRoutes } from './app';
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
  let leaving = false;
  const server = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    registry: metrics.registry,
    healthy: () => ({ ok: computer.healthy, detail: { threads: threadCount(settings) } }),
    ready: () => ({
      ok: !leaving && computer.healthy,
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
  log.info({ port: server.port, threads: threadCount(settings) }, 'started');
  return {
    stop: async () => {
      leaving = true;
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
