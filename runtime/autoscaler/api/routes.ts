import type { z } from 'zod';
import type { Control } from './control';
import {
  decisionsQuery,
  emptyBody,
  historyQuery,
  scaleBody,
  type DecisionsRequest,
  type HistoryRequest,
  type ScaleRequest,
} from './schemas';

/** One endpoint; the app and its OpenAPI document are made of the same table. */
export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  /** Whether it changes something: then a bearer token is asked for. */
  readonly changes: boolean;
  /** Of the body, for POST. */
  readonly body?: z.ZodType;
  readonly query?: z.ZodType;
  /** Whether a key makes it happen once. */
  readonly keyed?: boolean;
  readonly status: 200 | 202;
  /** @param input body or query, as its schema has left it. */
  run(control: Control, input: unknown): unknown;
}

const get = (path: string, summary: string, run: Route['run'], query?: z.ZodType): Route => ({
  method: 'get',
  path,
  summary,
  changes: false,
  status: 200,
  run,
  ...(query && { query }),
});
const post = (
  path: string,
  summary: string,
  run: Route['run'],
  more: Partial<Route> = {},
): Route => ({
  ...{ method: 'post', path, summary, changes: true, status: 202, body: emptyBody, run },
  ...more,
});

/** Every endpoint but /openapi.json. */
export const ROUTES: readonly Route[] = [
  get('/', 'Service information', (control) => control.info()),
  get('/health', 'Health, with that of Redis, MongoDB and the event bus', (control) =>
    control.health(),
  ),
  get('/metrics', 'The cluster as the last cycle saw it', (control) => control.metrics()),
  get('/nodes/metrics', 'Each node as the last cycle saw it', (control) => control.nodeMetrics()),
  get('/workers', 'Workers and their containers', (control) => control.workers()),
  get(
    '/history',
    'What was scaled, the most recent first',
    (control, query) => control.history(query as HistoryRequest),
    historyQuery,
  ),
  get(
    '/history/decisions',
    'Decisions that were recorded, each with the cluster as it was (JSON, gzip, base64), the most recent first',
    (control, query) => control.decisions(query as DecisionsRequest),
    decisionsQuery,
  ),
  get('/config', 'Settings, without secrets', (control) => control.config()),
  post(
    '/scale',
    'Adds or removes workers',
    (control, body) => control.scale(body as ScaleRequest),
    {
      body: scaleBody,
      keyed: true,
    },
  ),
  post('/rules/init', 'Writes the rules in force down', (control) => control.initRules(), {
    status: 200,
  }),
  post('/cycle', 'Runs one cycle now', (control) => control.cycle(), { status: 200 }),
  post('/stop', 'Stops the autoscaler', (control) => control.stop()),
  get('/reconciliation/status', 'The last round of reconciliation', (control) =>
    control.reconciliationStatus(),
  ),
  post(
    '/reconciliation/trigger',
    'Runs one round of reconciliation now',
    (control) => control.triggerReconciliation(),
    { status: 200 },
  ),
];
