import type { Express, Request, Response } from 'express';
import type { Clock } from '../shared/clock';
import { giveBack } from './memory';
import type { WorkloadMetrics } from './metrics';
import type { Admission } from './policy/admission';
import { answerText } from './policy/answer';
import { parseWork } from './policy/parameters';
import type { Computer } from './ports';
import type { Work, WorkDone, WorkLimits } from './types';

const MB = 1024 * 1024;
/** What nginx calls a request that its client gave up. */
const GIVEN_UP = 499;

export interface WorkRoutes {
  readonly admission: Admission;
  readonly computer: Computer;
  readonly clock: Clock;
  readonly limits: WorkLimits;
  readonly retryAfterSeconds: number;
  readonly metrics: WorkloadMetrics;
}

/** Adds `GET /`, which does the work that its query asks for and says what was done. */
export function addWorkRoutes(app: Express, routes: WorkRoutes): void {
  app.get('/', async (request, response) => answer(routes, request, response));
}

async function answer(routes: WorkRoutes, request: Request, response: Response): Promise<void> {
  const { admission, clock, metrics } = routes;
  const startedMs = clock.monotonicMs();
  const send = (status: number, text: string): void => {
    if (!response.closed) response.status(status).type('text/plain').send(text);
  };
  const givenUp = new AbortController();
  const closed = new Promise<void>((resolve) => response.once('close', resolve)).then(() => {
    givenUp.abort();
    metrics.requests.inc({ status: response.writableFinished ? response.statusCode : GIVEN_UP });
    metrics.seconds.observe((clock.monotonicMs() - startedMs) / 1000);
  });
  const parsed = parseWork(new URL(request.url, 'http://workload').searchParams, routes.limits);
  if (!parsed.ok) return send(400, `${parsed.problems.join('\n')}\n`);
  const entered = admission.enter(parsed.work.bloatMb ?? 0);
  if (typeof entered === 'string') {
    metrics.refused.inc({ reason: entered });
    response.setHeader('retry-after', routes.retryAfterSeconds);
    if (entered === 'stopping') response.setHeader('connection', 'close');
    return send(503, `Not now (${entered}): try again in ${routes.retryAfterSeconds} s.\n`);
  }
  const work = doWork(routes, parsed.work, givenUp.signal);
  setGauges(routes);
  try {
    send(200, answerText(await work));
  } catch (error) {
    send(500, `${(error as Error).message}\n`);
  }
  // Only now does it hold nothing: the work has ended and the answer is out, or nobody waits for it.
  await closed;
  entered();
  setGauges(routes);
}

function setGauges({ admission, computer, metrics }: WorkRoutes): void {
  metrics.inFlight.set(admission.inFlight);
  metrics.bloatBytes.set(admission.bloatMb * MB);
  metrics.waiting.set(computer.waiting);
}

/** Sleeps and computes at the same time; the memory is held until both are done. */
async function doWork(
  { computer, clock }: WorkRoutes,
  { sleepMs, primeBelow, bloatMb }: Work,
  signal: AbortSignal,
): Promise<WorkDone> {
  const slept = async (): Promise<number | undefined> => {
    if (sleepMs === undefined) return undefined;
    const startedMs = clock.monotonicMs();
    await clock.sleep(sleepMs, signal);
    return clock.monotonicMs() - startedMs;
  };
  const task = {
    ...(primeBelow !== undefined && { primeBelow }),
    ...(bloatMb !== undefined && { bloatBytes: bloatMb * MB }),
  };
  const computes = primeBelow !== undefined || bloatMb !== undefined;
  const [sleptMs, result] = await Promise.all([
    slept(),
    computes ? computer.run(task, signal) : undefined,
  ]);
  const allocatedMb = result?.memory && result.memory.byteLength / MB;
  giveBack(result?.memory);
  return {
    ...(allocatedMb !== undefined && { allocatedMb }),
    ...(primeBelow !== undefined &&
      result?.prime !== undefined && { prime: { below: primeBelow, found: result.prime } }),
    ...(sleptMs !== undefined && { sleptMs }),
  };
}
