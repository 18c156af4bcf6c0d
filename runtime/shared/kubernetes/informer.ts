import type { Clock } from '../clock';
import type { Logger } from '../log';
import { ApiError } from './api-error';
import type { KubeApi } from './api';
import type { KubeObject } from './types';

/** What an informer follows. */
export interface InformerSource<Raw, T> {
  /** Path of the collection, for example /api/v1/pods. */
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Keeps of an object what is needed, so that the rest is not held in memory. */
  project(raw: Raw): T;
}

/** Told of every change; called synchronously, in order. */
export interface InformerHandlers<T> {
  set(object: T): void;
  remove(object: T): void;
  /** After the first complete list. */
  synced?(): void;
}

interface ListAnswer<Raw> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items?: readonly Raw[];
}
interface WatchEvent<Raw> {
  readonly type: string;
  readonly object: Raw & { readonly code?: number; readonly message?: string };
}

const WATCH_SECONDS = 240;
const WATCH_LIMIT_MS = (WATCH_SECONDS + 30) * 1000;
const BACKOFF_MS = [100, 500, 1000, 2000, 5000] as const;

/**
 * Keeps a copy of a collection: lists, then watches from there, watches again when the watch ends, and lists again
 * when the server no longer has the history asked for (410). Objects that vanished meanwhile are reported removed.
 */
export class Informer<Raw extends KubeObject, T> {
  readonly #objects = new Map<string, T>();
  #synced = false;
  #lastContactMs: number | undefined;

  constructor(
    private readonly api: KubeApi,
    private readonly source: InformerSource<Raw, T>,
    private readonly handlers: InformerHandlers<T>,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Whether a complete list was seen. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Milliseconds since the server last said something; undefined before it ever did. */
  get silentMs(): number | undefined {
    return this.#lastContactMs === undefined
      ? undefined
      : this.clock.monotonicMs() - this.#lastContactMs;
  }

  /** Follows the collection until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let version: string | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        version ??= await this.#list(signal);
        const watched = await this.#watch(version, signal);
        version = watched.version;
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && error.status === 410) {
          version = undefined;
          this.log.info({ path: this.source.path }, 'watch history is gone, listing again');
          continue;
        }
        // The version is kept: a broken connection goes on from the last event that was seen.
        version = error instanceof WatchBroken ? error.version : version;
        const waitMs = BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)] ?? 5000;
        this.log.warn({ path: this.source.path, waitMs, err: error }, 'watch failed');
        await this.clock.sleep(waitMs, signal);
      }
    }
  }

  get #selectors() {
    return { fieldSelector: this.source.fieldSelector, labelSelector: this.source.labelSelector };
  }

  async #list(signal: AbortSignal): Promise<string> {
    const answer = await this.api.request<ListAnswer<Raw>>({
      method: 'GET',
      path: this.source.path,
      query: this.#selectors,
      timeoutMs: 60_000,
      urgent: true,
      signal,
    });
    this.#touch();
    const seen = new Set<string>();
    for (const raw of answer.items ?? []) {
      seen.add(keyOf(raw));
      this.#set(raw);
    }
    for (const [key, object] of this.#objects) {
      if (!seen.has(key)) {
        this.#objects.delete(key);
        this.handlers.remove(object);
      }
    }
    if (!this.#synced) {
      this.#synced = true;
      this.handlers.synced?.();
    }
    return answer.metadata.resourceVersion;
  }

  async #watch(from: string, outer: AbortSignal): Promise<{ version: string }> {
    let version = from;
    // The server ends a watch after WATCH_SECONDS; one that lasts longer hangs on a dead connection.
    const signal = AbortSignal.any([outer, AbortSignal.timeout(WATCH_LIMIT_MS)]);
    const query = {
      ...this.#selectors,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: from,
      timeoutSeconds: WATCH_SECONDS,
    };
    try {
      for await (const line of this.api.lines({
        method: 'GET',
        path: this.source.path,
        query,
        signal,
      })) {
        this.#touch();
        const event = JSON.parse(line) as WatchEvent<Raw>;
        if (event.type === 'ERROR') {
          throw new ApiError(event.object.code ?? 500, 'WatchError', event.object.message ?? line);
        }
        this.#apply(event);
        version = event.object.metadata.resourceVersion ?? version;
      }
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new WatchBroken(version, error);
    }
    this.#touch();
    return { version };
  }

  #apply(event: WatchEvent<Raw>): void {
    if (event.type === 'ADDED' || event.type === 'MODIFIED') this.#set(event.object);
    else if (event.type === 'DELETED') {
      const key = keyOf(event.object);
      const known = this.#objects.get(key);
      this.#objects.delete(key);
      if (known !== undefined) this.handlers.remove(known);
    }
  }

  #set(raw: Raw): void {
    const object = this.source.project(raw);
    this.#objects.set(keyOf(raw), object);
    this.handlers.set(object);
  }

  #touch(): void {
    this.#lastContactMs = this.clock.monotonicMs();
  }
}

class WatchBroken extends Error {
  constructor(
    readonly version: string,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

// The uid is part of the key: an object deleted and made anew under its old name is another one.
const keyOf = (raw: KubeObject): string =>
  `${raw.metadata.namespace ?? ''}/${raw.metadata.name}/${raw.metadata.uid}`;
