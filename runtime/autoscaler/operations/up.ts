import { UP_STEPS, type UpOperation, type UpStep } from '../types';
import {
  eventOf,
  Interrupted,
  messageOf,
  recordOf,
  stopIfAborted,
  tellHistory,
  waitUntil,
  type Context,
  type Outcome,
} from './context';

/**
 * Adds a worker, or goes on where the journal says that it was. What fails before the worker is Ready is undone: no
 * container, no node, no secret stays. @throws Interrupted when that, too, cannot be done now
 */
export async function runUp(operation: UpOperation, context: Context): Promise<Outcome> {
  const { live, clock } = context;
  let now = operation;
  try {
    if (now.undoing === undefined) {
      for (const step of UP_STEPS.slice(UP_STEPS.indexOf(now.step))) {
        if (step !== now.step) {
          now = { ...now, step };
          await live.saveOperation(now);
        }
        stopIfAborted(context);
        const failed = await tryStep(now, step, context);
        if (failed === undefined) continue;
        now = { ...now, undoing: failed };
        await live.saveOperation(now);
        break;
      }
    }
    const outcome: Outcome =
      now.undoing === undefined ? { outcome: 'done' } : { outcome: 'undone', why: now.undoing };
    if (outcome.outcome === 'undone') {
      stopIfAborted(context);
      await undo(now, context);
      // What could not be done is not tried again at once.
      await live.noteScaled('up', clock.nowMs());
      await live.addEvent(eventOf(now, outcome, clock.nowMs()));
    }
    await live.endOperation(now.id);
    return outcome;
  } catch (error) {
    throw new Interrupted(now, error);
  }
}

/** @returns why the operation is to be undone; undefined when the step is done. @throws when it is to be tried again */
async function tryStep(
  operation: UpOperation,
  step: UpStep,
  context: Context,
): Promise<string | undefined> {
  try {
    await STEPS[step](operation, context);
    return undefined;
  } catch (error) {
    // A worker that is Ready is not taken away because a record of it could not be written.
    if (step === 'record' || step === 'cooldown' || context.signal.aborted) throw error;
    return `${step}: ${messageOf(error)}`;
  }
}

const STEPS: Readonly<Record<UpStep, (one: UpOperation, context: Context) => Promise<void>>> = {
  create: ({ worker, id }, { containers }) => containers.create(worker, id),
  register: ({ worker, startedAtMs }, context) =>
    waitUntil(
      context,
      `node ${worker} registered`,
      startedAtMs + context.limits.startLimitMs,
      async () => (await context.cluster.node(worker)) !== undefined,
    ),
  ready: ({ worker, startedAtMs }, context) =>
    waitUntil(
      context,
      `node ${worker} Ready`,
      startedAtMs + context.limits.startLimitMs,
      async () => (await context.cluster.node(worker))?.ready === true,
    ),
  record: async (one, context) => {
    const record = recordOf(one, 'ready', one.startedAtMs);
    await context.live.putWorker(record);
    await tellHistory(context, (history) => history.putWorker(record));
    await context.live.addEvent(eventOf(one, { outcome: 'done' }, context.clock.nowMs()));
  },
  cooldown: (_one, { live, clock }) => live.noteScaled('up', clock.nowMs()),
};

/** Takes away what was made, and nothing that another operation made. */
async function undo({ id, worker }: UpOperation, { containers, cluster, live }: Context) {
  const found = (await containers.list()).find(({ name }) => name === worker);
  if (found !== undefined && found.operation !== id) return;
  if (found !== undefined) await containers.remove(worker);
  await cluster.deleteNode(worker);
  await cluster.deleteNodePassword(worker);
  await live.removeWorker(worker);
}
