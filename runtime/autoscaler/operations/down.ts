import { DOWN_STEPS, type DownOperation, type DownStep } from '../types';
import {
  eventOf,
  recordOf,
  stopIfAborted,
  tellHistory,
  waitUntil,
  type Context,
  type Outcome,
} from './context';
import { forgetUndone, recordEvictions } from './evictions';
import { runJournaled, type Procedure } from './journaled';
import { whyTooFew } from './minimum';

/**
 * Removes a worker, or goes on where the journal says that it was. Until it is drained it can be undone: the node is
 * uncordoned and kept. From then on it is finished. @throws Interrupted when neither can be done now
 */
export const runDown = (operation: DownOperation, context: Context): Promise<Outcome> =>
  runJournaled(operation, PROCEDURE, context);

const STEPS: Readonly<Record<DownStep, (one: DownOperation, context: Context) => Promise<void>>> = {
  cordon: async (one, { cluster, live }) => {
    await cluster.setCordoned(one.worker, true);
    await setStatus(one, 'draining', live);
  },
  drain: async (one, context) => {
    await drain(one, context);
    const why = await whyTooFew(one, context);
    if (why !== undefined) throw new Error(why);
  },
  'remove-container': ({ worker }, { containers }) => containers.remove(worker),
  'node-gone': ({ worker }, context) => {
    const { cluster, clock, limits } = context;
    // Its agent has ended: nothing but this removes the node.
    return waitUntil(
      context,
      `node ${worker} gone`,
      clock.nowMs() + limits.goneLimitMs,
      async () => {
        await cluster.deleteNode(worker);
        return (await cluster.node(worker)) === undefined;
      },
    );
  },
  'node-password': ({ worker }, { cluster }) => cluster.deleteNodePassword(worker),
  record: async (one, context) => {
    const { live, clock } = context;
    await live.removeWorker(one.worker);
    await tellHistory(context, (history) => history.removeWorker(one.worker, clock.nowMs()));
    await live.addEvent(eventOf(one, { outcome: 'done' }, clock.nowMs()));
  },
  cooldown: (_one, { live, clock }) => live.noteScaled('down', clock.nowMs()),
};

const PROCEDURE: Procedure<DownOperation> = {
  order: DOWN_STEPS,
  enter: (one, step, nowMs) => ({ ...one, step, stepAtMs: nowMs }),
  perform: (one, step, context) => STEPS[step](one, context),
  canBeUndone: (step) => step === 'cordon' || step === 'drain',
  undo: keep,
};

/** Evicts the pods of a node, again and again where a budget forbids it for now, until none is left. */
async function drain(one: DownOperation, context: Context): Promise<void> {
  const { worker, stepAtMs } = one;
  const { cluster, limits } = context;
  let last = '';
  const first = await cluster.leavingPods(worker);
  const bare = first.find(({ controlled }) => !controlled);
  if (bare !== undefined && !limits.evictBarePods)
    throw new Error(
      `pod ${bare.namespace}/${bare.name} has no controller, and EVICT_BARE_PODS is false`,
    );
  const recorded = new Set<string>();
  let refused: string | undefined;
  await waitUntil(context, `node ${worker} drained`, stepAtMs + limits.drainLimitMs, async () => {
    const pods = await cluster.leavingPods(worker);
    const staying = pods.filter(({ deleting }) => !deleting);
    refused = await recordEvictions(worker, staying, recorded, context);
    if (refused !== undefined) return true;
    for (const pod of staying) {
      stopIfAborted(context);
      const result = await cluster.evict(pod);
      if (result.kind === 'protected' || result.kind === 'failed')
        last = `pod ${pod.namespace}/${pod.name}: ${result.message}`;
    }
    if (pods.length > 0 && last !== '') throw new Error(last);
    return pods.length === 0;
  });
  if (refused !== undefined) throw new Error(refused);
}

/** The node takes pods again, unless it did not before. */
async function keep(one: DownOperation, context: Context): Promise<void> {
  const { cluster, live } = context;
  if (!one.wasCordoned) await cluster.setCordoned(one.worker, false);
  await setStatus(one, 'ready', live);
  await forgetUndone(one.worker, context);
}

async function setStatus(
  one: DownOperation,
  status: 'draining' | 'ready',
  live: Context['live'],
): Promise<void> {
  const record = (await live.workers()).find(({ name }) => name === one.worker);
  if (record !== undefined) await live.putWorker({ ...recordOf(one, status, record.createdAtMs) });
}
