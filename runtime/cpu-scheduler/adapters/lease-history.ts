import { z } from 'zod';
import type { LeaderElector } from '../../shared/kubernetes/leader';
import { EVICTIONS_ANNOTATION } from '../annotations';
import type { History } from '../ports';
import type { Eviction } from '../types';

const schema = z.array(
  z.object({
    podUid: z.string(),
    pod: z.string(),
    ownerUid: z.string(),
    node: z.string(),
    atMs: z.number(),
  }),
);

/**
 * Keeps the evictions as an annotation of the leader's Lease: the write proves that this still is the leader, and
 * who becomes leader next has just read it.
 */
export class LeaseHistory implements History {
  constructor(private readonly elector: Pick<LeaderElector, 'annotate'>) {}

  async save(evictions: readonly Eviction[]): Promise<void> {
    await this.elector.annotate(EVICTIONS_ANNOTATION, JSON.stringify(evictions));
  }
}

/** The evictions that a Lease carries. @throws when the annotation is there but is not what was written. */
export function evictionsIn(annotations: Readonly<Record<string, string>>): Eviction[] {
  const text = annotations[EVICTIONS_ANNOTATION];
  return text === undefined ? [] : schema.parse(JSON.parse(text));
}
