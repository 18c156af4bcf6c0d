import { hostname } from 'node:os';
import { systemClock } from '../shared/clock';
import { NEVER_READ, type Reading } from '../shared/freshness';
import { startHealthServer } from '../shared/health-server';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { createMetrics } from '../shared/metrics';
import { ProberClient } from '../shared/prober-client';
import type { ProberScores } from '../shared/prober-scores';
import { serviceMain } from '../shared/service-main';
import { latencyOf } from './policy/latency';
import { hellopodSettings, type HellopodSettings } from './settings';
import type { Greeting } from './types';

async function start(settings: HellopodSettings, log: Logger): Promise<Running> {
  const clock = systemClock;
  const metrics = createMetrics('hellopod');
  const requests = metrics.counter('requests_total', 'Greetings answered');
  const prober = new ProberClient(settings.proberTimeoutMs);
  let heard: Reading<ProberScores> = NEVER_READ;
  let served = 0;
  const ask = async (): Promise<void> => {
    try {
      const value = await prober.scores(settings.proberAddress);
      heard = { state: 'known', value, takenAtMs: clock.nowMs() };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      // What was heard before grows old by itself.
      if (heard.state === 'unknown') heard = { state: 'unknown', why };
      log.debug({ err: error }, 'the prober does not answer');
    }
  };
  const greeting = (): Greeting => ({
    message: 'hello',
    pod: settings.podName || hostname(),
    node: settings.nodeName,
    latency: latencyOf(heard, settings.nodeName, clock.nowMs(), settings.latencyMaxAgeMs),
    served: served++,
  });
  const server = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    registry: metrics.registry,
    healthy: () => ({ ok: true }),
    ready: () => ({ ok: true }),
    routes: (app) =>
      app.get('/', (_request, response) => {
        requests.inc();
        response.json(greeting());
      }),
  });
  log.info({ port: server.port, node: settings.nodeName }, 'started');
  const end = new AbortController();
  const asking = (async () => {
    if (settings.proberAddress === '') {
      heard = { state: 'unknown', why: 'PROBER_ADDRESS is empty' };
      return;
    }
    while (!end.signal.aborted) {
      await ask();
      await clock.sleep(settings.proberIntervalMs, end.signal);
    }
  })();
  return {
    stop: async () => {
      end.abort();
      await Promise.all([asking, server.close()]);
      await prober.close();
    },
  };
}

serviceMain({
  name: 'hellopod',
  summary: 'answers which pod on which node it is, and how far that node is from others',
  settings: hellopodSettings,
  start,
});
