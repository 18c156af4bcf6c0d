import { Refusal, type Control } from '../../../runtime/autoscaler/api/control';
import { startApi, type ApiServer } from '../../../runtime/autoscaler/api/server';
import { MemoryLiveState } from '../../../runtime/autoscaler/adapters/memory-state';

export const TOKEN = 'a-token-of-the-test';

/** An API over a control that notes what it was told to do. */
export class Api {
  readonly done: unknown[] = [];
  readonly failures: string[] = [];
  /** Thrown by the next thing it is told to do. */
  next: Error | undefined;
  healthy = true;
  #server: ApiServer | undefined;

  async start(): Promise<void> {
    const act = async (what: unknown) => {
      const error = this.next;
      this.next = undefined;
      if (error !== undefined) throw error;
      this.done.push(what);
      return { number: this.done.length };
    };
    const control: Control = {
      info: () => ({ service: 'autoscaler' }),
      health: () => ({ ok: this.healthy }),
      metrics: () => ({ nodes: 2 }),
      nodeMetrics: () => ({ nodes: [] }),
      workers: async () => ({ workers: [] }),
      history: async (query) => ({ query }),
      decisions: async (query) => ({ query }),
      initRules: () => act('rules'),
      config: () => ({ minNodes: 2 }),
      scale: (request) => act(request),
      cycle: () => act('cycle'),
      stop: () => act('stop'),
      reconciliationStatus: () => ({ last: null }),
      triggerReconciliation: () => act('reconcile'),
    };
    const failed = (what: string): void => void this.failures.push(what);
    const live = new MemoryLiveState();
    this.#server = await startApi(
      { control, live, token: TOKEN, version: '1', failed },
      { host: '127.0.0.1', port: 0 },
    );
  }

  close = async (): Promise<void> => this.#server?.close();

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#server?.port ?? 0}${path}`, init);
  }

  /** POST with the token and JSON, unless told otherwise. */
  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }
}

export const refusal = (): Refusal => new Refusal('there are 6 of at most 6');
