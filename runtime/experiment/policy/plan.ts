/** One scheduler under the load, once. */
export interface PlannedRound {
  /** From 1, over all schedulers: the order in which rounds run. */
  readonly sequence: number;
  readonly scheduler: string;
  /** From 1, of this scheduler. */
  readonly round: number;
  /** Name of its raw file. */
  readonly file: string;
}

/**
 * Every scheduler `rounds` times, in blocks that hold each of them once, so that what changes slowly about the machine
 * weighs on all alike. The order within a block is shuffled; the same seed gives the same order.
 */
export function planRounds(
  schedulers: readonly string[],
  rounds: number,
  seed: number,
): PlannedRound[] {
  const random = randomFrom(seed);
  const all = Array.from({ length: rounds }, (_, block) =>
    shuffled(schedulers, random).map((scheduler) => ({ scheduler, round: block + 1 })),
  ).flat();
  const digits = String(all.length).length;
  return all.map(({ scheduler, round }, index) => {
    const sequence = index + 1;
    const number = String(sequence).padStart(digits, '0');
    return { sequence, scheduler, round, file: `${number}-${scheduler}-${round}.jsonl` };
  });
}

/** Fisher and Yates's shuffle: every order is as likely. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const kept = result[last] as T;
    result[last] = result[other] as T;
    result[other] = kept;
  }
  return result;
}

/** Numbers from 0 to below 1 by mulberry32: few lines, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
