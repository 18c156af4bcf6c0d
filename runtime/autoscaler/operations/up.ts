import { UP_STEPS, type UpOperation, type UpStep } from '../types';
import { eventOf, recordOf, tellHistory, waitUntil, type Context, type Outcome } from './context';
import { runJournaled, type Procedure } from './journaled';

/**
 * Adds a worker, or goes on where the journal says that it was. What fails before the worker is Ready is undone: no
 * container, no node, no secret stays. @throws Interrupted when that, too, cannot be done now
 */
export const runUp = (operation: UpOperation, context: Context): Promise<Outcome> =>
  runJournaled(operation, PROCEDURE, context);

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

const PROCEDURE: Procedure<UpOperation> = {
  order: UP_STEPS,
  enter: (one, step) => ({ ...one, step }),
  perform: (one, step, context) => STEPS[step](one, context),
  // A worker that is Ready is not taken away because a record of it could not be written.
  canBeUndone: (step) => step !== 'record' && step !== 'cooldown',
  undo,
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
