import type { Express, Response } from 'express';
import type { Clock } from '../shared/clock';
import type { Answers } from './loop/answers';
import type { LatencyExtenderMetrics } from './metrics';
import { readBody, RefusedBody } from './wire/body';
import { BadExtenderArgs, parseExtenderArgs } from './wire/extender-args';

export interface ExtenderRoutes {
  readonly answers: Answers;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
  readonly metrics: LatencyExtenderMetrics;
  /** What `/state` says. */
  state(): unknown;
  /** What `/explain` says; undefined for a pod that nobody asked about. */
  explain(namespace: string, pod: string): unknown;
}

/** Adds what kube-scheduler asks, and what people ask. */
export function addExtenderRoutes(app: Express, routes: ExtenderRoutes): void {
  const { answers, clock, metrics } = routes;
  const sendJson = (response: Response, status: number, text: string): void => {
    const body = Buffer.from(text);
    // With its length, so that Go keeps the connection.
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': body.length,
    });
    response.end(body);
  };
  for (const verb of ['filter', 'prioritize'] as const) {
    app.post(`/${verb}`, async (request, response) => {
      try {
        const text = await readBody(request, routes.maxBodyBytes);
        const startedMs = clock.monotonicMs();
        const answer = answers[verb](parseExtenderArgs(text), clock.nowMs());
        metrics.requestSeconds.observe({ verb }, (clock.monotonicMs() - startedMs) / 1000);
        sendJson(response, 200, answer);
      } catch (error) {
        const status =
          error instanceof RefusedBody
            ? error.status
            : error instanceof BadExtenderArgs
              ? 400
              : 500;
        metrics.badRequests.inc({ status });
        sendJson(response, status, JSON.stringify({ error: (error as Error).message }));
      }
    });
  }
  app.get('/state', (_request, response) => {
    response.json(routes.state());
  });
  app.get('/explain/:namespace/:pod', (request, response) => {
    const { namespace, pod } = request.params;
    const explanation = routes.explain(namespace, pod);
    if (explanation === undefined)
      response.status(404).json({ error: 'kube-scheduler has not asked about this pod lately' });
    else response.json(explanation);
  });
}
