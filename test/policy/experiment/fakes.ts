import type { Clock } from '../../../runtime/shared/clock';
import type { ExperimentPorts } from '../../../runtime/experiment/ports';
import type { LoadResult } from '../../../runtime/experiment/policy/load-log';

/** A clock whose time passes only by sleeping. */
export class SleepClock implements Clock {
  #ms = 1_767_225_600_000;
  nowMs = (): number => this.#ms;
  monotonicMs = (): number => this.#ms;
  sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return;
    this.#ms += ms;
    await new Promise((resolve) => setImmediate(resolve));
  };
}

const RESULT: LoadResult = {
  requests: [{ index: 0, intendedAtMs: 1_767_225_600_001, latencyMs: 5, outcome: 'ok' }],
  summary: { total: 2, successful: 1, failed: 0, dropped: 1, cancelled: 0, failures: {} },
};

/** An estate that notes what is done to it. */
export class FakeEstate {
  readonly done: string[] = [];
  /** Called when a load begins; may throw. */
  onLoad: (service: string, signal: AbortSignal) => Promise<void> = async () => undefined;

  readonly ports: ExperimentPorts = {
    workloads: {
      remember: async () => this.#note('remember'),
      park: async () => this.#note('park'),
      start: async (scheduler) => this.#note(`start ${scheduler}`),
      restore: async () => this.#note('restore'),
    },
    loads: {
      run: async (service, signal, ended) => {
        this.#note(`load ${service}`);
        await this.onLoad(service, signal);
        signal.throwIfAborted();
        ended(1);
        return RESULT;
      },
      clear: async () => this.#note('clear'),
    },
    watch: async () => {
      this.#note('watch');
      return {
        counts: () => ({ running: 2, pending: 0 }),
        desired: () => ({ 'wl-hpa': 1, 'wl-hpa2': 1 }),
        placements: () => [{ pod: 'a', node: 'node-1', created: null, bound: null }],
        stop: async () => this.#note('unwatch'),
      };
    },
    cpu: {
      range: async ({ fromMs }) => [{ atMs: fromMs, node: 'node-1', cpuRatio: 0.5 }],
    },
  };

  #note(what: string): void {
    this.done.push(what);
  }
}
