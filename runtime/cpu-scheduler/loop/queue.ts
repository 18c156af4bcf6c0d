import { Heap } from '../policy/heap';
import type { PodInfo } from '../types';

type State = 'active' | 'handed-out' | 'waiting';

interface Entry {
  pod: PodInfo;
  readonly order: number;
  state: State;
  attempts: number;
  readyAtMs: number;
  /** Set when it fitted nowhere: it waits until the version has grown beyond this. */
  roomVersion: number | undefined;
}

/** How long a pod waits between tries. */
export interface BackoffSettings {
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
}

/** A pod that nothing woke is tried again after this all the same. */
const FLUSH_MS = 60_000;

/**
 * The pods that wait to be placed: higher priority first, then first come. A pod that was tried waits for its backoff
 * and, when it fitted nowhere, until something has changed.
 */
export class PendingQueue {
  readonly #entries = new Map<string, Entry>();
  readonly #waiting = new Set<Entry>();
  readonly #active = new Heap<Entry>(
    (a, b) =>
      a.pod.priority > b.pod.priority || (a.pod.priority === b.pod.priority && a.order < b.order),
  );
  #order = 0;

  constructor(private readonly settings: BackoffSettings) {}

  /** Pods that wait or are being placed. */
  get size(): number {
    return this.#entries.size;
  }

  /** The pod as it is known now, if it still is pending. */
  get(uid: string): PodInfo | undefined {
    return this.#entries.get(uid)?.pod;
  }

  /** The pending pod of this name. O(pods), for people who ask. */
  find(namespace: string, name: string): PodInfo | undefined {
    for (const { pod } of this.#entries.values()) {
      if (pod.name === name && pod.namespace === namespace) return pod;
    }
    return undefined;
  }

  /** Adds a pod, or takes over what changed of it; a change that matters for where it fits lets it be tried at once. */
  set(pod: PodInfo): void {
    const entry = this.#entries.get(pod.uid);
    if (entry === undefined) {
      const added: Entry = {
        pod,
        order: this.#order++,
        state: 'active',
        attempts: 0,
        readyAtMs: 0,
        roomVersion: undefined,
      };
      this.#entries.set(pod.uid, added);
      this.#active.set(added);
      return;
    }
    const changed = entry.pod.schedulingClass !== pod.schedulingClass;
    entry.pod = pod;
    if (entry.state === 'waiting' && changed) this.#activate(entry);
    else if (entry.state === 'active') this.#active.set(entry);
  }

  /** Takes a pod out; true when it was there. */
  remove(uid: string): boolean {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return false;
    this.#entries.delete(uid);
    this.#waiting.delete(entry);
    this.#active.delete(entry);
    return true;
  }

  /** The next pod to place, which is then handed out until `retry` or `remove`. */
  next(): PodInfo | undefined {
    const entry = this.#active.pop();
    if (entry === undefined) return undefined;
    entry.state = 'handed-out';
    return entry.pod;
  }

  /**
   * Puts a handed out pod back, to be tried after its backoff (or afterMs, if that is longer).
   * @param options.roomVersion given when it fitted nowhere: it then also waits until the version has grown.
   */
  retry(
    uid: string,
    nowMs: number,
    options: { roomVersion?: number; afterMs?: number } = {},
  ): void {
    const entry = this.#entries.get(uid);
    if (entry?.state !== 'handed-out') return;
    const { backoffMinMs, backoffMaxMs } = this.settings;
    const backoffMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(entry.attempts, 20));
    entry.state = 'waiting';
    entry.attempts += 1;
    entry.readyAtMs = nowMs + Math.max(backoffMs, options.afterMs ?? 0);
    entry.roomVersion = options.roomVersion;
    this.#waiting.add(entry);
  }

  /** Makes ready whose time has come. Returns when the next one's does, in ms since 1970; undefined when none waits. */
  wake(nowMs: number, roomVersion: number): number | undefined {
    let nextMs: number | undefined;
    for (const entry of this.#waiting) {
      const noRoom = entry.roomVersion !== undefined && entry.roomVersion >= roomVersion;
      const readyAtMs = entry.readyAtMs + (noRoom ? FLUSH_MS : 0);
      if (readyAtMs <= nowMs) this.#activate(entry);
      else nextMs = Math.min(nextMs ?? Infinity, readyAtMs);
    }
    return nextMs;
  }

  #activate(entry: Entry): void {
    this.#waiting.delete(entry);
    entry.state = 'active';
    this.#active.set(entry);
  }
}
