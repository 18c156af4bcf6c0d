import { NotLeaderError } from '../shared/kubernetes/leader';
import type { Outside } from './operations/context';

/** Whether this may act right now. */
export interface Leadership {
  isLeader(): boolean;
}

/** The same, but everything that changes something asks first whether this may act still. */
export function onlyWhileLeader(outside: Outside, leadership: Leadership): Outside {
  return {
    ...outside,
    containers: guarded(outside.containers, leadership, ['create', 'remove']),
    cluster: guarded(outside.cluster, leadership, [
      ...(['setCordoned', 'evict', 'deleteNode', 'deleteNodePassword'] as const),
    ]),
    live: guarded(outside.live, leadership, [
      ...(['nextNumber', 'raiseCounter', 'putWorker', 'removeWorker', 'notePermanent'] as const),
      ...(['saveOperation', 'endOperation', 'noteScaled', 'addEvent', 'eventsSent'] as const),
    ]),
    history: guarded(outside.history, leadership, ['addEvents', 'putWorker', 'removeWorker']),
    disruptions: guarded(outside.disruptions, leadership, ['change']),
  };
}

function guarded<T extends object>(
  port: T,
  leadership: Leadership,
  writes: readonly (keyof T & string)[],
): T {
  return new Proxy(port, {
    get: (target, name) => {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function') return found;
      const isWrite = writes.some((write) => write === name);
      return (...parameters: unknown[]): unknown => {
        if (isWrite && !leadership.isLeader()) return Promise.reject(new NotLeaderError());
        return Reflect.apply(found, target, parameters);
      };
    },
  });
}
