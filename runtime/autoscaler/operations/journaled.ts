import type { Operation } from '../types';
import {
  eventOf,
  Interrupted,
  messageOf,
  stopIfAborted,
  type Context,
  type Outcome,
} from './context';

/** How an operation of a kind is done, and undone. Each part can be repeated. */
export interface Procedure<O extends Operation> {
  /** All steps in their order. */
  readonly order: readonly O['step'][];
  /** The operation as it enters a step. */
  enter(operation: O, step: O['step'], nowMs: number): O;
  perform(operation: O, step: O['step'], context: Context): Promise<void>;
  /** Whether the operation is undone when this step fails; otherwise the step is tried again later. */
  canBeUndone(step: O['step']): boolean;
  undo(operation: O, context: Context): Promise<void>;
}

/**
 * Does an operation, or goes on where the journal says that it was: each step is in the journal before it begins, and so
 * is that the operation is to be undone. @throws Interrupted when it can be neither finished nor undone now
 */
export async function runJournaled<O extends Operation>(
  operation: O,
  procedure: Procedure<O>,
  context: Context,
): Promise<Outcome> {
  const { live, clock } = context;
  let now = operation;
  try {
    if (now.undoing === undefined) {
      for (const step of procedure.order.slice(procedure.order.indexOf(now.step))) {
        if (step !== now.step) {
          now = procedure.enter(now, step, clock.nowMs());
          await live.saveOperation(now);
        }
        stopIfAborted(context);
        const failed = await tryStep(now, step, procedure, context);
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
      await procedure.undo(now, context);
      // What could not be done is not tried again at once.
      await live.noteScaled(now.kind, clock.nowMs());
      await live.addEvent(eventOf(now, outcome, clock.nowMs()));
    }
    await live.endOperation(now.id);
    return outcome;
  } catch (error) {
    throw new Interrupted(now, error);
  }
}

/** @returns why the operation is to be undone; undefined when the step is done. @throws when it is to be tried again */
async function tryStep<O extends Operation>(
  operation: O,
  step: O['step'],
  procedure: Procedure<O>,
  context: Context,
): Promise<string | undefined> {
  try {
    await procedure.perform(operation, step, context);
    return undefined;
  } catch (error) {
    if (!procedure.canBeUndone(step) || context.signal.aborted) throw error;
    return `${step}: ${messageOf(error)}`;
  }
}
