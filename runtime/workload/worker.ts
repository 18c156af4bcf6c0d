import type { MessagePort } from 'node:worker_threads';
import { largestPrimeBelow } from './policy/prime';
import type { ThreadResult, ThreadTask } from './types';

/** Serves tasks in a worker thread, one after the other. An error ends the thread. */
export function serveTasks(port: MessagePort): void {
  port.on('message', (task: ThreadTask) => {
    const memory = task.bloatBytes === undefined ? undefined : touchedMemory(task.bloatBytes);
    const prime = task.primeBelow === undefined ? undefined : largestPrimeBelow(task.primeBelow);
    const result: ThreadResult = {
      id: task.id,
      ...(prime !== undefined && { prime }),
      ...(memory && { memory }),
    };
    port.postMessage(result, memory ? [memory] : []);
  });
}

/** Memory that the kernel really gives: what is only zero costs nothing until it is written to. */
function touchedMemory(bytes: number): ArrayBuffer {
  const memory = new ArrayBuffer(bytes);
  new Uint8Array(memory).fill(1);
  return memory;
}
