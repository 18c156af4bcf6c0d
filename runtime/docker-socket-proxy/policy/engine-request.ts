import { workerBody, workerFilter } from '../../autoscaler/containers/worker-body';
import type { EngineRequest } from '../ports';
import type { Action, Rules } from '../types';

const SECOND_MS = 1000;
type OnContainer = Extract<Action, { container: string }>;

/** The request by which the engine is told to do what is allowed; nothing of the request that came in is in it. */
export function engineRequest(action: Exclude<Action, OnContainer>, rules: Rules): EngineRequest {
  const { mould } = rules;
  if (action.kind === 'list') {
    const filters = JSON.stringify({ label: workerFilter(mould.template.estate) });
    return { method: 'GET', path: `/containers/json?${query({ all: 'true', filters })}` };
  }
  const { name, operation } = action;
  const content = JSON.stringify(workerBody(mould, name, operation));
  const path = `/containers/create?${query({ name })}`;
  return { method: 'POST', path, body: { type: 'application/json', content } };
}

/** The same for an action on a container, by its id, which no other will ever have. */
export function containerRequest(action: OnContainer, id: string, rules: Rules): EngineRequest {
  const path = `/containers/${id}`;
  switch (action.kind) {
    case 'files': {
      const content = rules.files ?? Buffer.alloc(0);
      const body = { type: 'application/x-tar', content };
      return { method: 'PUT', path: `${path}/archive?${query({ path: '/' })}`, body };
    }
    case 'start':
      return { method: 'POST', path: `${path}/start` };
    case 'stop': {
      const { seconds } = action;
      const extraMs = seconds * SECOND_MS;
      return { method: 'POST', path: `${path}/stop?t=${seconds}`, extraMs };
    }
    case 'remove':
      return { method: 'DELETE', path: `${path}?v=true&force=true` };
  }
}

/** Asks the engine for a container, by name or id. */
export const inspectRequest = (container: string): EngineRequest => ({
  method: 'GET',
  path: `/containers/${container}/json`,
});

const query = (values: Readonly<Record<string, string>>): string =>
  new URLSearchParams(values).toString();
