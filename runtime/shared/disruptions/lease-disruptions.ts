import { z } from 'zod';
import type { Clock } from '../clock';
import type { LeaseStore } from '../kubernetes/lease-store';
import type { Lease } from '../kubernetes/types';
import { kept, type Disruptions, type Eviction } from './types';

/** Annotation of the Lease: the evictions, as JSON. */
export const EVICTIONS_ANNOTATION = 'berth.dev/evictions';
/** Of several that write at the same time one succeeds each time. */
const TRIES = 20;

const schema: z.ZodType<Eviction[]> = z.array(
  z.object({
    podUid: z.string(),
    pod: z.string(),
    ownerUid: z.string(),
    node: z.string(),
    atMs: z.number(),
    by: z.string(),
  }),
);

/** Keeps the record as an annotation of a Lease that nobody holds: its version makes a change one step. */
export class LeaseDisruptions implements Disruptions {
  constructor(
    private readonly store: LeaseStore,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  async read(): Promise<readonly Eviction[]> {
    return evictionsIn(await this.store.read(this.timeoutMs));
  }

  async change(
    update: (now: readonly Eviction[]) => readonly Eviction[],
  ): Promise<readonly Eviction[]> {
    for (let tried = 0; tried < TRIES; tried += 1) {
      const lease = await this.store.read(this.timeoutMs);
      const now = evictionsIn(lease);
      const updated = update(now);
      if (updated === now) return now;
      const next = kept(updated, this.clock.nowMs());
      const version = lease?.metadata.resourceVersion;
      const written = await this.store.write(
        {
          ...(version !== undefined && { resourceVersion: version }),
          annotations: {
            ...lease?.metadata.annotations,
            [EVICTIONS_ANNOTATION]: JSON.stringify(next),
          },
          spec: lease?.spec ?? {},
        },
        this.timeoutMs,
      );
      if (written !== 'conflict') return next;
    }
    throw new Error(`the record of evictions was changed by others ${TRIES} times running`);
  }
}

/** The evictions that a Lease carries. @throws when the annotation is there and is not what was written. */
export function evictionsIn(lease: Lease | undefined): readonly Eviction[] {
  const text = lease?.metadata.annotations?.[EVICTIONS_ANNOTATION];
  if (text === undefined) return [];
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const name = lease?.metadata.name ?? '';
    throw new Error(
      `Lease ${name}: annotation ${EVICTIONS_ANNOTATION} cannot be read; remove it to begin anew`,
      { cause: error },
    );
  }
}
