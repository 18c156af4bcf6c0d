import { Worker } from 'node:worker_threads';
import type { Logger } from '../../shared/log';
import type { Computer } from '../ports';
import type { ThreadResult, ThreadTask } from '../types';

interface Job {
  readonly task: ThreadTask;
  resolve(result: ThreadResult): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  /** True once it has done a task: one that dies before is not simply started again. */
  proven: boolean;
}

/** A fixed number of threads and a queue before them. A thread that dies is replaced; the task in its hand fails. */
export class ThreadComputer implements Computer {
  private readonly idle: Thread[] = [];
  private readonly threads = new Set<Thread>();
  private readonly queue: Job[] = [];
  private nextId = 1;
  private closing = false;
  private broken = false;

  /** @param script the bundle that calls serveTasks() when it is not the main thread. */
  constructor(
    private readonly script: string,
    threads: number,
    private readonly log: Logger,
  ) {
    for (let i = 0; i < threads; i += 1) this.start();
  }

  get waiting(): number {
    return this.queue.length;
  }

  get healthy(): boolean {
    return !this.broken;
  }

  run(task: Omit<ThreadTask, 'id'>, signal: AbortSignal): Promise<ThreadResult> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new Error('nobody waits for it any more'));
      const job: Job = { task: { ...task, id: this.nextId++ }, resolve, reject };
      const dropped = (): void => {
        const at = this.queue.indexOf(job);
        if (at >= 0) this.queue.splice(at, 1);
        // What a thread already computes it computes to its end.
        if (at >= 0) reject(new Error('nobody waits for it any more'));
      };
      signal.addEventListener('abort', dropped, { once: true });
      this.queue.push(job);
      this.next();
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    await Promise.all([...this.threads].map(({ worker }) => worker.terminate()));
    for (const job of this.queue.splice(0)) job.reject(new Error('stopping'));
  }

  private next(): void {
    while (this.queue.length > 0) {
      const thread = this.idle.pop();
      if (thread === undefined) return;
      thread.job = this.queue.shift();
      if (thread.job) thread.worker.postMessage(thread.job.task);
    }
  }

  private start(): void {
    const thread: Thread = { worker: new Worker(this.script), job: undefined, proven: false };
    let why = 'it ended';
    this.threads.add(thread);
    this.idle.push(thread);
    thread.worker.on('message', (result: ThreadResult) => {
      const { job } = thread;
      thread.job = undefined;
      thread.proven = true;
      this.idle.push(thread);
      job?.resolve(result);
      this.next();
    });
    thread.worker.on('error', (error: unknown) => {
      why = error instanceof Error ? error.message : String(error);
    });
    thread.worker.on('exit', () => this.ended(thread, why));
  }

  private ended(thread: Thread, why: string): void {
    this.threads.delete(thread);
    const at = this.idle.indexOf(thread);
    if (at >= 0) this.idle.splice(at, 1);
    thread.job?.reject(new Error(`the thread that computed it died: ${why}`));
    if (this.closing) return;
    this.log.error({ why }, 'a thread died');
    // Dying again and again before it has done anything is for the kubelet to mend.
    if (thread.proven || thread.job !== undefined) this.start();
    else this.broken = true;
    this.next();
  }
}
