import { LABELS, workerBody, workerFilter } from '../../autoscaler/containers/worker-body';
import { workerNumber } from '../../autoscaler/policy/worker-name';
import type { Action, Asked, Rules, Verdict } from '../types';
import { difference } from './difference';

const CONTAINER = /^\/containers\/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})(?:\/(archive|start|stop))?$/;
const OPERATION = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const SHOWN = 100;

const allow = (action: Action): Verdict => ({ allowed: true, action });
const refuse = (why: string): Verdict => ({ allowed: false, why });

/** Whether a request may pass. Whose container it concerns is looked at afterwards, by {@link isWorker}. */
export function judge(asked: Asked, rules: Rules): Verdict {
  const { method, path } = asked;
  if (method === 'GET' && path === '/containers/json') return judgeList(asked, rules);
  if (method === 'POST' && path === '/containers/create') return judgeCreate(asked, rules);
  const [, container, verb] = CONTAINER.exec(path) ?? [];
  if (container !== undefined) {
    if (method === 'PUT' && verb === 'archive') return judgeFiles(asked, rules, container);
    if (method === 'POST' && verb === 'start')
      return withQuery(asked, {}, { kind: 'start', container });
    if (method === 'POST' && verb === 'stop') return judgeStop(asked, rules, container);
    if (method === 'DELETE' && verb === undefined)
      return withQuery(asked, { v: 'true', force: 'true' }, { kind: 'remove', container });
  }
  return refuse(`${method.slice(0, SHOWN)} ${path.slice(0, SHOWN)}: not among what workers need`);
}

/** Whether a container with these labels is a worker of the estate. */
export const isWorker = (labels: Readonly<Record<string, unknown>>, { mould }: Rules): boolean =>
  Object.hasOwn(labels, LABELS.estate) && labels[LABELS.estate] === mould.template.estate;

function judgeList(asked: Asked, { mould }: Rules): Verdict {
  const filters = JSON.stringify({ label: workerFilter(mould.template.estate) });
  return withQuery(asked, { all: 'true', filters }, { kind: 'list' });
}

/** A worker is made exactly as the mould says, so the body must be what would be made of it here. */
function judgeCreate(asked: Asked, { mould }: Rules): Verdict {
  const name = asked.query.get('name') ?? '';
  if (workerNumber(name) === null) return refuse('name: must be k3s-worker-N');
  const body = parsed(asked.body);
  if (body === undefined) return refuse('the body: must be JSON');
  const operation = operationOf(body);
  if (operation === undefined)
    return refuse(`Labels["${LABELS.operation}"]: must name the operation`);
  const wanted: unknown = JSON.parse(JSON.stringify(workerBody(mould, name, operation)));
  const place = difference(wanted, body);
  if (place !== undefined)
    return refuse(`${place.slice(0, SHOWN)}: is not what workers are made of (WORKER_TEMPLATE)`);
  return withQuery(asked, { name }, { kind: 'create', name, operation });
}

function judgeFiles(asked: Asked, { files }: Rules, container: string): Verdict {
  if (files === undefined || !files.equals(asked.body))
    return refuse('the archive: is not what workers are given (WORKER_TEMPLATE)');
  return withQuery(asked, { path: '/' }, { kind: 'files', container });
}

function judgeStop(asked: Asked, { mould }: Rules, container: string): Verdict {
  const most = mould.template.container.stopSeconds;
  const t = asked.query.get('t') ?? '';
  const seconds = /^\d{1,3}$/.test(t) ? Number(t) : -1;
  if (seconds < 0 || seconds > most) return refuse(`t: must be 0 to ${most} seconds`);
  return withQuery(asked, { t }, { kind: 'stop', container, seconds });
}

/** Allows an action whose query is this one and has nothing else. */
function withQuery(
  { query }: Asked,
  wanted: Readonly<Record<string, string>>,
  action: Action,
): Verdict {
  const given = [...query.entries()];
  const same = given.length === Object.keys(wanted).length;
  const stray = given.find(([key, value]) => !Object.hasOwn(wanted, key) || wanted[key] !== value);
  if (same && stray === undefined) return allow(action);
  const needed = new URLSearchParams(wanted).toString();
  return refuse(`the query: must be ${needed === '' ? 'empty' : needed}`);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function operationOf(body: unknown): string | undefined {
  const labels = (body as { Labels?: unknown } | null)?.Labels;
  const operation = (labels as Readonly<Record<string, unknown>> | null | undefined)?.[
    LABELS.operation
  ];
  return typeof operation === 'string' && OPERATION.test(operation) ? operation : undefined;
}
