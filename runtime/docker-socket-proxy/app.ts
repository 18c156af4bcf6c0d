import express, { type ErrorRequestHandler, type Express, type Response } from 'express';
import { carriesToken } from '../autoscaler/api/token';
import { handle, says, type Handled } from './handle';
import type { Engine, EngineAnswer } from './ports';
import type { Rules } from './types';

export interface ProxyOptions {
  readonly rules: Rules;
  readonly engine: Engine;
  readonly token: string;
  /** Told of each request and what came of it. */
  handled(outcome: Omit<Handled, 'body'>): void;
}

const UNAUTHORIZED = 401;
/** A worker's creation is a few KiB, and so is the archive of its files. */
const MAX_BODY = '1mb';

/** Adds the routes of the proxy: the token first, then the request as a whole. */
export function addProxy(app: Express, options: ProxyOptions): void {
  app.use((request, response, next) => {
    if (carriesToken(request.headers.authorization, options.token)) return next();
    const why = 'a bearer token is needed: Authorization: Bearer DOCKER_TOKEN';
    options.handled({ ...{ action: 'other', outcome: 'refused', status: UNAUTHORIZED, why } });
    answer(response.set('www-authenticate', 'Bearer'), says(UNAUTHORIZED, why));
  });
  app.use(express.raw({ type: () => true, limit: MAX_BODY }));
  app.use(async (request, response) => {
    const [path = '', ...query] = request.url.split('?');
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { method } = request;
    const asked = { method, path, query: new URLSearchParams(query.join('?')), body };
    const outcome = await handle(asked, options.rules, options.engine);
    options.handled(outcome);
    answer(response, outcome);
  });
  const failed: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _) =>
    answer(response, says(error.status ?? 500, error.message));
  app.use(failed);
}

function answer(response: Response, { status, body }: EngineAnswer): void {
  response.status(status);
  if (body.length === 0) response.end();
  else response.type('application/json').send(body);
}
