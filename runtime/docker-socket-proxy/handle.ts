import { containerRequest, engineRequest, inspectRequest } from './policy/engine-request';
import { isWorker, judge } from './policy/judge';
import type { Engine, EngineAnswer } from './ports';
import type { Action, Asked, Rules } from './types';

/** What is answered, and how it is counted. */
export interface Handled extends EngineAnswer {
  readonly action: Action['kind'] | 'other';
  readonly outcome: 'passed' | 'refused' | 'failed';
  /** Why it did not pass. */
  readonly why?: string;
}

const FORBIDDEN = 403;
const BAD_GATEWAY = 502;
const NOT_FOUND = 404;

/** Judges a request, and lets the engine do what may be done. Never throws: what fails is a 502. */
export async function handle(asked: Asked, rules: Rules, engine: Engine): Promise<Handled> {
  const verdict = judge(asked, rules);
  if (!verdict.allowed) return refused('other', verdict.why);
  const { action } = verdict;
  try {
    if (action.kind === 'list' || action.kind === 'create')
      return passed(action, await engine.send(engineRequest(action, rules)));
    const found = await engine.send(inspectRequest(action.container));
    if (found.status === NOT_FOUND) return passed(action, found);
    const { id, labels } = described(found);
    if (!isWorker(labels, rules))
      return refused(action.kind, `${action.container}: is not a worker of this estate`);
    return passed(action, await engine.send(containerRequest(action, id, rules)));
  } catch (error) {
    const why = `the Docker engine: ${error instanceof Error ? error.message : String(error)}`;
    return { ...{ action: action.kind, outcome: 'failed', why }, ...says(BAD_GATEWAY, why) };
  }
}

/** An answer in the engine's own form of an error. */
export const says = (status: number, message: string): EngineAnswer => ({
  status,
  body: Buffer.from(JSON.stringify({ message })),
});

const passed = ({ kind }: Action, { status, body }: EngineAnswer): Handled => ({
  ...{ action: kind, outcome: 'passed', status, body },
});

const refused = (action: Handled['action'], why: string): Handled => ({
  ...{ action, outcome: 'refused', why },
  ...says(FORBIDDEN, `docker-socket-proxy: ${why}`),
});

/** Id and labels, out of what the engine says of a container. @throws Error where it does not say them */
function described({ status, body }: EngineAnswer): {
  id: string;
  labels: Readonly<Record<string, unknown>>;
} {
  if (status !== 200) throw new Error(`it answered ${status} to an inspection`);
  const said = JSON.parse(body.toString('utf8')) as {
    Id?: unknown;
    Config?: { Labels?: Readonly<Record<string, unknown>> | null };
  };
  if (typeof said.Id !== 'string' || !/^[0-9a-f]{64}$/.test(said.Id))
    throw new Error('it described a container without an id');
  return { id: said.Id, labels: said.Config?.Labels ?? {} };
}
