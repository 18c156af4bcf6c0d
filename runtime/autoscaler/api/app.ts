import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type Response,
} from 'express';
import { z } from 'zod';
import type { LiveState } from '../ports';
import { Refusal, type Control } from './control';
import { once } from './idempotency';
import { openApi } from './openapi';
import { ROUTES, type Route } from './routes';
import { idempotencyKey } from './schemas';
import { carriesToken, TOKEN_HEADER } from './token';

export interface AppOptions {
  readonly control: Control;
  readonly live: Pick<LiveState, 'takeKey' | 'answerKey' | 'releaseKey'>;
  readonly token: string;
  readonly version: string;
  /** Told of what failed here, not of requests that are wrong. */
  failed(what: string, error: unknown): void;
}

const MAX_BODY = '16kb';

/** A request that is answered with an error. */
class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problems?: readonly { readonly field: string; readonly message: string }[],
  ) {
    super(message);
  }
}

/** The REST API. Requests are checked in this order: path, method, token, body, fields. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  // Who stands before this and lets paths through by their names must not be deceived by others that mean the same.
  app.enable('case sensitive routing');
  app.enable('strict routing');
  const document = openApi(options.version);
  const json = express.json({ limit: MAX_BODY, strict: false });
  for (const route of ROUTES) {
    const handle = (request: Request, response: Response): Promise<void> =>
      answer(route, request, response, options);
    if (route.method === 'get') app.get(route.path, handle);
    else
      app.post(
        route.path,
        (request, _response, next) => {
          if (route.changes && !mayChange(request, options.token))
            throw new Refused(401, 'a bearer token is needed: Authorization: Bearer API_TOKEN');
          if (hasBody(request) && !request.is('application/json'))
            throw new Refused(415, 'the body must be application/json');
          next();
        },
        json,
        handle,
      );
  }
  app.get('/openapi.json', (_request, response) => void response.json(document));
  app.use((request, response) => {
    const others = ROUTES.filter(({ path }) => path === request.path).map(({ method }) =>
      method.toUpperCase(),
    );
    if (request.path === '/openapi.json') others.push('GET');
    if (others.length > 0)
      response.status(405).set('allow', others.join(', ')).json({ error: 'no such method here' });
    else response.status(404).json({ error: 'no such path; see /openapi.json' });
  });
  app.use(errorHandler(options));
  return app;
}

async function answer(
  route: Route,
  request: Request,
  response: Response,
  { control, live }: AppOptions,
): Promise<void> {
  const schema = route.method === 'get' ? route.query : route.body;
  const given: unknown = route.method === 'get' ? { ...request.query } : bodyOf(request);
  const input = schema === undefined ? undefined : parsed(schema, given, '');
  const key = route.keyed ? keyOf(request, input) : undefined;
  if (key === undefined) {
    const result = await route.run(control, input);
    const healthy = (result as { ok?: unknown }).ok !== false;
    response.status(healthy ? route.status : 503).json(result);
    return;
  }
  const content: Record<string, unknown> = { ...(input as object) };
  delete content['key'];
  const result = await once(live, key, [route.path, content], () =>
    Promise.resolve(route.run(control, content)),
  );
  if (result.repeated) response.set('idempotency-replayed', 'true');
  response.status(route.status).json(result.answer);
}

/** @throws Refused naming every field that is wrong */
function parsed<T>(schema: z.ZodType<T>, given: unknown, root: string): T {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => {
    const at = [root, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    if (issue.code !== 'unrecognized_keys')
      return [{ field: at || 'body', message: issue.message }];
    return issue.keys.map((name) => ({ field: name, message: 'no such field' }));
  });
  throw new Refused(
    422,
    problems.map((one) => `${one.field}: ${one.message}`).join('; '),
    problems,
  );
}

function keyOf(request: Request, input: unknown): string | undefined {
  const header = parsed(idempotencyKey, request.get('idempotency-key'), 'Idempotency-Key');
  const { key } = input as { readonly key?: string };
  if (header !== undefined && key !== undefined && header !== key)
    throw new Refused(422, 'key: differs from the header Idempotency-Key', [
      { field: 'key', message: 'differs from the header Idempotency-Key' },
    ]);
  return header ?? key;
}

function mayChange(request: Request, token: string): boolean {
  const plain = request.get(TOKEN_HEADER);
  return carriesToken(
    plain === undefined ? request.headers.authorization : `Bearer ${plain}`,
    token,
  );
}

/** What was sent; nothing at all is taken for an object without fields. */
const bodyOf = ({ body }: Request): unknown => (body === undefined ? {} : (body as unknown));

const hasBody = (request: Request): boolean =>
  Number(request.headers['content-length'] ?? 0) > 0 ||
  request.headers['transfer-encoding'] !== undefined;

const errorHandler =
  ({ failed }: AppOptions): ErrorRequestHandler =>
  (error: unknown, request, response, _next) => {
    if (error instanceof Refused) {
      const { status, message, problems } = error;
      if (status === 401) response.set('www-authenticate', 'Bearer');
      response.status(status).json({ error: message, ...(problems && { problems }) });
    } else if (error instanceof Refusal) {
      response.status(409).json({ error: error.message });
    } else if (isBodyError(error)) {
      response.status(error.status).json({ error: BODY_ERRORS[error.status] ?? 'a bad request' });
    } else {
      failed(`${request.method} ${request.path}`, error);
      response.status(503).json({ error: 'it could not be done now; the log says why' });
    }
  };

const BODY_ERRORS: Readonly<Record<number, string>> = {
  400: 'the body is no JSON',
  413: `the body is larger than ${MAX_BODY}`,
  415: 'the encoding of the body is not known',
};

/** What express throws for a body or a path that it cannot read. */
function isBodyError(error: unknown): error is Error & { readonly status: number } {
  return (
    error instanceof Error &&
    'status' in error &&
    typeof error.status === 'number' &&
    error.status >= 400 &&
    error.status < 500
  );
}
