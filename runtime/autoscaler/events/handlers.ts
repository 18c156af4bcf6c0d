import type { Logger } from '../../shared/log';
import type { EventBus } from './bus';

/** What handlers can set off. */
export interface Reactions {
  /** Gives the history the events that it has not got yet. @throws when one of the two is away */
  tellHistory(): Promise<void>;
  /** One round of reconciliation, on the leader. */
  reconcile(): Promise<unknown>;
}

/** What is done about each event. Decisions do not wait for any of it. */
export function handleEvents(
  bus: EventBus,
  { tellHistory, reconcile }: Reactions,
  log: Logger,
): void {
  bus.on('ClusterStateSynced', ({ fixed }) => {
    if (fixed > 0) log.info({ fixed }, 'the state was reconciled');
  });
  bus.on('NodeHealthDegraded', async ({ node, why }) => {
    log.warn({ node, why }, 'a worker is not well');
    // Records tell the node's status.
    await reconcile();
  });
  bus.on('OptimalStateTrigger', ({ workers }) =>
    log.info({ workers }, 'nothing has to change any more'),
  );
  bus.on('PendingPodsDetected', ({ pods }) => log.debug({ pods }, 'pods wait for a new node'));
  bus.on('ScalingCompleted', async ({ worker, kind, outcome, reason }) => {
    log.info({ worker, kind, outcome, reason }, 'scaling completed');
    await tellHistory();
  });
  bus.on('MinimumNodeEnforcement', ({ workers, minNodes }) =>
    log.warn({ workers, minNodes }, 'there are fewer workers than the minimum'),
  );
}
