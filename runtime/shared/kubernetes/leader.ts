import type { Clock } from '../clock';
import type { Logger } from '../log';
import type { LeaseDraft, LeaseStore } from './lease-store';
import type { Lease } from './types';

/** How leadership is kept. */
export interface LeaderOptions {
  /** Who this is; unique among the replicas and across restarts. */
  readonly identity: string;
  /** Others take the Lease when it was not renewed for this long. */
  readonly leaseDurationMs: number;
  /** A leader that could not renew for this long stops; below leaseDurationMs, so that it stops before another starts. */
  readonly renewDeadlineMs: number;
  /** Time between two tries. */
  readonly retryMs: number;
}

/** Told when leadership comes and goes. */
export interface LeaderHandlers {
  /** With the annotations of the Lease, where the last leader left what must survive it. */
  started(annotations: Readonly<Record<string, string>>): void;
  stopped(why: string): void;
}

/** No longer, or not yet, the leader. */
export class NotLeaderError extends Error {
  constructor() {
    super('not the leader');
    this.name = 'NotLeaderError';
  }
}

/**
 * Leader election by Lease, by the same rules as client-go's: others' clocks are not trusted, a Lease has run out
 * when it was not seen to change for its duration. `isLeader` compares with the renew deadline at the moment it is
 * asked, so a process that hung, or that cannot reach the server, is not leader even before it has noticed.
 */
export class LeaderElector {
  #lease: Lease | undefined;
  #leaseSeenMs = 0;
  /** Monotonic time at which the last renewal that succeeded was sent; undefined while not leader. */
  #renewedMs: number | undefined;
  #annotations: Readonly<Record<string, string>> = {};
  #busy: Promise<unknown> = Promise.resolve();
  #running = true;

  constructor(
    private readonly store: LeaseStore,
    private readonly options: LeaderOptions,
    private readonly handlers: LeaderHandlers,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    if (options.renewDeadlineMs >= options.leaseDurationMs) {
      throw new Error('the renew deadline must be shorter than the lease duration');
    }
  }

  /** Whether this may act right now. To be asked right before every write. */
  isLeader(): boolean {
    return (
      this.#renewedMs !== undefined &&
      this.clock.monotonicMs() - this.#renewedMs < this.options.renewDeadlineMs
    );
  }

  /** Who holds the Lease, as far as this has seen. */
  get holder(): string | undefined {
    return this.#lease?.spec?.holderIdentity || undefined;
  }

  /** Takes part until the signal aborts, then gives the Lease up, if it holds it. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#exclusively(() => this.#tick());
      await this.clock.sleep(this.options.retryMs, signal);
    }
    this.#running = false;
    await this.#exclusively(() => this.#release());
  }

  /**
   * Writes an annotation of the Lease, which also renews it. That it succeeds proves that no other had become leader.
   * @throws NotLeaderError when this is not the leader, or was not by the time of the write.
   */
  async annotate(key: string, value: string): Promise<void> {
    await this.#exclusively(async () => {
      if (!this.isLeader() || !this.#running) throw new NotLeaderError();
      this.#annotations = { ...this.#annotations, [key]: value };
      if (!(await this.#write('renew'))) throw new NotLeaderError();
    });
  }

  async #tick(): Promise<void> {
    const wasLeader = this.#renewedMs !== undefined;
    if (wasLeader && !this.isLeader()) this.#lose('could not renew in time');
    try {
      if (this.#renewedMs !== undefined) {
        if (await this.#write('renew')) return;
      }
      await this.#observe();
      // Still the holder, but the Lease was written meanwhile: by a renewal whose answer was lost, or by a user.
      if (this.#renewedMs !== undefined) await this.#write('renew');
      else if (this.#free()) await this.#write('acquire');
    } catch (error) {
      this.log.warn({ err: error }, 'could not reach the Lease');
      if (this.#renewedMs !== undefined && !this.isLeader()) this.#lose('could not renew in time');
    }
  }

  async #observe(): Promise<void> {
    const lease = await this.store.read(this.#timeoutMs);
    const changed = lease?.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion;
    if (changed || lease === undefined) this.#leaseSeenMs = this.clock.monotonicMs();
    this.#lease = lease;
    if (this.#renewedMs !== undefined && this.holder !== this.options.identity) {
      this.#lose(`the Lease is held by ${this.holder ?? 'nobody'}`);
    }
  }

  /** Whether the Lease may be taken: none yet, given up, run out, or left by this very identity. */
  #free(): boolean {
    const holder = this.holder;
    if (holder === undefined || holder === this.options.identity) return true;
    const seconds = this.#lease?.spec?.leaseDurationSeconds;
    const durationMs = seconds === undefined ? this.options.leaseDurationMs : seconds * 1000;
    return this.clock.monotonicMs() - this.#leaseSeenMs >= durationMs;
  }

  /** True when the Lease is now held and renewed by this. @throws when the outcome is unknown. */
  async #write(what: 'acquire' | 'renew'): Promise<boolean> {
    const sentMs = this.clock.monotonicMs();
    const nowText = microTime(this.clock.nowMs());
    const before = this.#lease?.spec;
    const annotations =
      what === 'renew' ? this.#annotations : (this.#lease?.metadata.annotations ?? {});
    const draft: LeaseDraft = {
      ...(this.#lease?.metadata.resourceVersion !== undefined && {
        resourceVersion: this.#lease.metadata.resourceVersion,
      }),
      annotations,
      spec: {
        holderIdentity: this.options.identity,
        leaseDurationSeconds: Math.ceil(this.options.leaseDurationMs / 1000),
        acquireTime: what === 'renew' ? (before?.acquireTime ?? nowText) : nowText,
        renewTime: nowText,
        leaseTransitions: (before?.leaseTransitions ?? 0) + (what === 'acquire' && before ? 1 : 0),
      },
    };
    const written = await this.store.write(draft, this.#timeoutMs);
    if (written === 'conflict') return false;
    this.#lease = written;
    this.#leaseSeenMs = sentMs;
    this.#renewedMs = sentMs;
    if (what === 'acquire') {
      this.#annotations = annotations;
      this.log.info({ identity: this.options.identity }, 'became the leader');
      this.handlers.started(annotations);
    }
    return this.isLeader();
  }

  async #release(): Promise<void> {
    const held = this.isLeader();
    if (this.#renewedMs !== undefined) this.#lose('stopping');
    if (!held || this.#lease?.metadata.resourceVersion === undefined) return;
    const nowText = microTime(this.clock.nowMs());
    try {
      await this.store.write(
        {
          resourceVersion: this.#lease.metadata.resourceVersion,
          annotations: this.#annotations,
          spec: {
            ...this.#lease.spec,
            holderIdentity: '',
            leaseDurationSeconds: 1,
            renewTime: nowText,
          },
        },
        this.#timeoutMs,
      );
    } catch (error) {
      this.log.warn({ err: error }, 'could not give the Lease up; it will run out');
    }
  }

  #lose(why: string): void {
    this.#renewedMs = undefined;
    this.log.warn({ why }, 'is not the leader any more');
    this.handlers.stopped(why);
  }

  get #timeoutMs(): number {
    return Math.max(500, this.options.renewDeadlineMs / 2);
  }

  /** One write of the Lease at a time, so that each knows the version the last one made. */
  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#busy.then(run, run);
    this.#busy = next.catch(() => undefined);
    return next;
  }
}

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
