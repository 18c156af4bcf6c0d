import type { Express } from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';
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

const VERBS = { '/filter': 'filter', '/prioritize': 'prioritize' } as const;
const isVerb = (path: string | undefined): path is keyof typeof VERBS =>
  path !== undefined && Object.hasOwn(VERBS, path);

/** Answers what kube-scheduler asks, and says whether it was that: twice for each pod, so express is left out of it. */
export function extenderCalls(
  routes: ExtenderRoutes,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { answers, clock, metrics } = routes;
  const answer = async (
    verb: 'filter' | 'prioritize',
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    try {
      const text = await readBody(request, routes.maxBodyBytes);
      const startedMs = clock.monotonicMs();
      const args = parseExtenderArgs(text, answers.sent);
      const reply = answers[verb](args, clock.nowMs());
      metrics.requestSeconds.observe({ verb }, (clock.monotonicMs() - startedMs) / 1000);
      sendJson(response, 200, reply);
    } catch (error) {
      const status =
        error instanceof RefusedBody ? error.status : error instanceof BadExtenderArgs ? 400 : 500;
      metrics.badRequests.inc({ status });
      sendJson(response, status, JSON.stringify({ error: (error as Error).message }));
    }
  };
  return (request, response) => {
    const path = request.url;
    if (request.method !== 'POST' || !isVerb(path)) return false;
    void answer(VERBS[path], request, response);
    return true;
  };
}

/** With its length, so that Go keeps the connection. */
function sendJson(response: ServerResponse, status: number, text: string): void {
  const length = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length });
  // As many bytes as characters is ASCII, which Node.js sends in one piece with the headers and without encoding it.
  response.end(text, length === text.length ? 'latin1' : 'utf8');
}

/** Adds what people ask. */
export function addExtenderRoutes(app: Express, routes: ExtenderRoutes): void {
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
