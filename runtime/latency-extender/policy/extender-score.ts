/** The largest score that kube-scheduler takes from an extender (MaxExtenderPriority). */
export const MAX_EXTENDER_SCORE = 10;

/** The score of every node while nothing is known of any. */
export const EQUAL_EXTENDER_SCORE = 5;

/**
 * The node that is to get the pod: place of the highest score (NaN: out), among equals of the first name; -1 where all
 * are out.
 */
export function bestOf(names: readonly string[], scores: Float64Array): number {
  let best = -1;
  let most = -1;
  for (let place = 0; place < scores.length; place += 1) {
    const score = scores[place] ?? NaN;
    if (!(score >= most)) continue;
    if (score === most && (names[best] ?? '') <= (names[place] ?? '')) continue;
    most = score;
    best = place;
  }
  return best;
}

/**
 * Maps the scores (0..1; NaN: out) of the nodes of one request to whole numbers 0..10 in their order:
 * round(10 * score), at least 1 for the best, and at least one less than the best for all others. kube-scheduler draws
 * lots among the highest, so only the best gets that: rounding makes no worse node as good, and of equals one is chosen
 * here, where it is counted as placed.
 * @param best place of the best, or -1. @returns how many got each number
 */
export function extenderScores(scores: Float64Array, best: number, into: Uint8Array): number[] {
  const top = Math.max(1, Math.round((scores[best] ?? 0) * MAX_EXTENDER_SCORE));
  const counts = new Array<number>(MAX_EXTENDER_SCORE + 1).fill(0);
  for (let place = 0; place < scores.length; place += 1) {
    const score = scores[place] ?? NaN;
    let mapped = 0;
    if (place === best) mapped = top;
    else if (score > 0) mapped = Math.min(top - 1, Math.round(score * MAX_EXTENDER_SCORE));
    into[place] = mapped;
    counts[mapped] = (counts[mapped] ?? 0) + 1;
  }
  return counts;
}

/**
 * The least score that is answered, so that at most maxHosts nodes are: what is left out scores 0. Scores are left out
 * whole, and the best never.
 */
export function leastAnswered(counts: readonly number[], maxHosts: number): number {
  let answered = 0;
  let least = MAX_EXTENDER_SCORE + 1;
  for (let score = MAX_EXTENDER_SCORE; score >= 0; score -= 1) {
    const count = counts[score] ?? 0;
    if (count === 0) continue;
    if (answered > 0 && answered + count > maxHosts) break;
    answered += count;
    least = score;
  }
  return least;
}
