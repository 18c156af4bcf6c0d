import { NOW_MS } from './support';
import { MemoryHistory, MemoryLiveState } from '../../../runtime/autoscaler/adapters/memory-state';
import { MemoryWorld } from '../../../runtime/autoscaler/adapters/memory-world';
import type { Context } from '../../../runtime/autoscaler/operations/context';
import { Operations } from '../../../runtime/autoscaler/operations/operations';
import { operationSettings, scalingSettings } from '../../../runtime/autoscaler/settings';
import type { Clock } from '../../../runtime/shared/clock';
import { MemoryDisruptions } from '../../../runtime/shared/disruptions/memory-disruptions';
import { parseSettings } from '../../../runtime/shared/settings';

/** What goes wrong at one call to the outside. */
export interface Fault {
  /** Which call of a life, from 0 on. */
  readonly at: number;
  /** The process ends, or the call fails; before it has done anything, or after, so that only the answer is lost. */
  readonly what: 'kill' | 'fail';
  readonly when: 'before' | 'after';
}

/** A world that outlives the processes that act on it. */
export class World {
  readonly docker = new MemoryWorld();
  readonly live = new MemoryLiveState();
  readonly history = new MemoryHistory();
  readonly disruptions = new MemoryDisruptions({ nowMs: () => this.docker.nowMs });
  readonly problems: string[] = [];
  /** Fewest workers that were ever running, and Ready and not cordoned. */
  fewestReady = Infinity;

  constructor(readonly env: Readonly<Record<string, string>> = {}) {
    this.docker.nowMs = NOW_MS;
  }

  /** Workers 1 to count, as a long life has left them. */
  async populate(count: number): Promise<void> {
    for (let number = 1; number <= count; number += 1) {
      const name = `k3s-worker-${await this.live.nextNumber()}`;
      this.docker.addWorker(name);
      const record = { name, number, permanent: number <= 2, status: 'ready' as const };
      await this.live.putWorker({ ...record, createdAtMs: 0 });
      await this.history.putWorker({ ...record, createdAtMs: 0 });
    }
  }

  /** One life of the process: what it does until it is done or killed. @returns how many calls it made. */
  async life(
    faults: readonly Fault[],
    act: (operations: Operations, context: Context) => Promise<unknown>,
  ) {
    const byCall = new Map(faults.map((fault) => [fault.at, fault]));
    let calls = 0;
    let dead = false;
    let kill = (): void => undefined;
    const killed = new Promise<'killed'>((resolve) => {
      kill = () => {
        dead = true;
        resolve('killed');
      };
    });
    const never = new Promise<never>(() => undefined);
    const watched = <T extends object>(port: T): T =>
      new Proxy(port, {
        get: (target, name) => {
          const method = Reflect.get(target, name) as unknown;
          if (typeof method !== 'function') return method;
          return async (...parameters: unknown[]): Promise<unknown> => {
            if (dead) return never;
            const fault = byCall.get(calls);
            calls += 1;
            const strike = (): Promise<never> => {
              if (fault?.what === 'fail') throw new Error('injected');
              kill();
              return never;
            };
            if (fault?.when === 'before') return strike();
            const answer = (await Reflect.apply(method, target, parameters)) as unknown;
            this.#look();
            return fault?.when === 'after' ? strike() : answer;
          };
        },
      });
    const clock: Clock = {
      nowMs: () => this.docker.nowMs,
      monotonicMs: () => this.docker.nowMs,
      sleep: async (ms) => {
        if (dead) return never;
        this.docker.advance(ms);
        this.#look();
      },
    };
    const context: Context = {
      ...{ containers: watched(this.docker), cluster: watched(this.docker) },
      ...{ live: watched(this.live), history: watched(this.history), clock },
      disruptions: watched(this.disruptions),
      limits: parseSettings({ ...scalingSettings, ...operationSettings }, this.env),
      problem: (what) => void this.problems.push(what),
      signal: new AbortController().signal,
    };
    const end = act(new Operations(context), context).then(
      () => 'ended' as const,
      () => 'failed' as const,
    );
    return { how: await Promise.race([end, killed]), calls };
  }

  /** Starts again until nothing is left in the journal. @throws when that never comes. */
  async recover(): Promise<void> {
    for (let start = 0; start < 5; start += 1) {
      await this.life([], (operations) => operations.resume());
      if ((await this.live.operations()).length === 0) return;
    }
    throw new Error(`the journal never empties: ${JSON.stringify(await this.live.operations())}`);
  }

  /** Everything that exists somewhere, by name of the worker: equal lists mean that nothing is orphaned. */
  async everywhere() {
    const sorted = (names: Iterable<string>): string[] => [...names].sort();
    return {
      containers: sorted(this.docker.containers.keys()),
      nodes: sorted(this.docker.known.keys()),
      passwords: sorted(this.docker.passwords),
      records: sorted((await this.live.workers()).map(({ name }) => name)),
    };
  }

  #look(): void {
    const ready = [...this.docker.known.values()].filter((node) => node.ready && !node.cordoned);
    this.fewestReady = Math.min(this.fewestReady, ready.length);
  }
}
