/** An eviction that was carried out, or is about to be. */
export interface Eviction {
  readonly podUid: string;
  readonly pod: string;
  /** Of its controller; empty for a pod that has none. */
  readonly ownerUid: string;
  /** The node that it left. */
  readonly node: string;
  readonly atMs: number;
  /** The service that evicts. */
  readonly by: string;
}

/**
 * The evictions of the last day by every service that evicts, in one place: the disruption budget is one for all. What is
 * to be evicted is recorded before it is, so that a crash in between leaves no eviction unknown.
 */
export interface Disruptions {
  /** @throws when the record cannot be reached, or is not what was written. */
  read(): Promise<readonly Eviction[]>;
  /**
   * Changes the record in one step. When somebody else has written meanwhile, `update` is asked again, with what is
   * recorded then; what it throws leaves the record as it was.
   * @returns the record as it is now. @throws when it could not be written, or nobody knows whether it was
   */
  change(update: (now: readonly Eviction[]) => readonly Eviction[]): Promise<readonly Eviction[]>;
}

/** How long an eviction is kept on record, whatever cooldown a service has. */
export const KEPT_MS = 24 * 60 * 60 * 1000;
/** So many are kept at most, the latest: an object of the API server has room for no more. */
export const KEPT = 800;

/** The record without what is too old or too much. */
export const kept = (evictions: readonly Eviction[], nowMs: number): readonly Eviction[] =>
  evictions.filter(({ atMs }) => nowMs - atMs < KEPT_MS).slice(-KEPT);

/** Whether two are the same one. */
export const isSame = (a: Eviction, b: Eviction): boolean =>
  a.podUid === b.podUid && a.atMs === b.atMs && a.by === b.by;

/** Whether this pod, or another of its controller, was evicted within the last withinMs. */
export const lostLately = (
  evictions: readonly Eviction[],
  { podUid, ownerUid }: Pick<Eviction, 'podUid' | 'ownerUid'>,
  withinMs: number,
  nowMs: number,
): boolean =>
  evictions.some(
    (one) =>
      nowMs - one.atMs < withinMs &&
      (one.podUid === podUid || (ownerUid !== '' && one.ownerUid === ownerUid)),
  );
