import type { Express } from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
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
  /** Why a client may not ask; undefined for one that may. */
  clientProblem(request: IncomingMessage): string | undefined;
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
      const problem = routes.clientProblem(request);
      if (problem !== undefined) {
        // Who still sends when the connection is closed may never see the answer.
        await finished(request.resume());
        // The next one may be with another certificate.
        response.setHeader('connection', 'close');
        throw new Unauthenticated(problem);
      }
      const text = await readBody(request, routes.maxBodyBytes);
      const startedMs = clock.monotonicMs();
      const args = parseExtenderArgs(text, answers.sent);
      const reply = answers[verb](args, clock.nowMs());
      metrics.requestSeconds.observe({ verb }, (clock.monotonicMs() - startedMs) / 1000);
      sendJson(response, 200, reply);
    } catch (error) {
      const status = statusOf(error);
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

/** A client that has not shown a certificate of the authority. */
class Unauthenticated extends Error {
  constructor(problem: string) {
    super(`client certificate: ${problem}; it must be of the authority in TLS_CLIENT_CA_FILE`);
  }
}

function statusOf(error: unknown): number {
  if (error instanceof Unauthenticated) return 401;
  if (error instanceof RefusedBody) return error.status;
  return error instanceof BadExtenderArgs ? 400 : 500;
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
