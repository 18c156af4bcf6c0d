import type { Posture, Summary } from '../types';

/** How many images came out how. */
export type Tally = Omit<Summary, 'seconds'>;

export const EMPTY_TALLY: Tally = { images: 0, good: 0, bad: 0, noPose: 0, errors: 0 };

const COUNTED_AS = { Good: 'good', Bad: 'bad', NoPose: 'noPose', Error: 'errors' } as const;

/** The tally with one more image of this posture. */
export function count(tally: Tally, posture: Posture): Tally {
  const key = COUNTED_AS[posture];
  return { ...tally, images: tally.images + 1, [key]: tally[key] + 1 };
}
