import type { MessagePort } from 'node:worker_threads';
import { takeMemory } from './memory';
import { largestPrimeBelow } from './policy/prime';
import type { ThreadResult, ThreadTask } from './types';

/** Serves tasks in a worker thread, one after the other. An error ends the thread. */
export function serveTasks(port: MessagePort): void {
  port.on('message', (task: ThreadTask) => {
    const memory = task.bloatBytes === undefined ? undefined : takeMemory(task.bloatBytes);
    const prime = task.primeBelow === undefined ? undefined : largestPrimeBelow(task.primeBelow);
    const result: ThreadResult = {
      id: task.id,
      ...(prime !== undefined && { prime }),
      ...(memory && { memory }),
    };
    port.postMessage(result, memory ? [memory] : []);
  });
}
