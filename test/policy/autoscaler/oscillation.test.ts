import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decide } from '../../../runtime/autoscaler/policy/decide';
import { NOW_MS, settings, snapshot, waiting } from './support';

const CHECK_MS = 5000;
const FIVE_MINUTES_MS = 300_000;

/** Five minutes of a load that comes and goes, on a cluster that does at once what is decided. */
function play(loadAt: (atMs: number) => { pending: number; ratio: number }) {
  const limits = settings();
  let workers = [1, 2];
  let next = 3;
  let scaledUpAtMs = 0;
  let scaledDownAtMs = 0;
  const moves: { readonly kind: 'up' | 'down'; readonly atMs: number }[] = [];
  for (let atMs = 0; atMs <= FIVE_MINUTES_MS; atMs += CHECK_MS) {
    const nowMs = NOW_MS + atMs;
    const { pending, ratio } = loadAt(atMs);
    const view = snapshot({
      ...{ workers, cpu: ratio, memory: ratio, scaledUpAtMs, scaledDownAtMs },
      pending: Array.from({ length: pending }, (_, index) => waiting({ name: `p${index}` })),
    });
    const decision = decide(view, { ...limits, readingMaxAgeMs: FIVE_MINUTES_MS }, nowMs);
    if (decision.kind === 'hold') continue;
    moves.push({ kind: decision.kind, atMs });
    if (decision.kind === 'up') {
      for (let added = 0; added < decision.count; added += 1) workers = [...workers, next++];
      scaledUpAtMs = nowMs;
    } else {
      const gone = new Set(decision.nodes);
      workers = workers.filter((number) => !gone.has(`k3s-worker-${number}`));
      scaledDownAtMs = nowMs;
    }
    assert.ok(workers.length >= 2 && workers.length <= 6, `${workers.length} workers`);
  }
  const reversals = moves.filter(({ kind }, index) => index > 0 && moves[index - 1]?.kind !== kind);
  return { moves, created: next - 3, reversals: reversals.length };
}

describe('autoscaler: a load that comes and goes for five minutes', () => {
  it('makes it grow at most once a minute and turn round at most four times', () => {
    for (const periodMs of [10_000, 30_000, 60_000, 120_000]) {
      const { created, reversals, moves } = play((atMs) =>
        atMs % periodMs < periodMs / 2 ? { pending: 3, ratio: 0.9 } : { pending: 0, ratio: 0.05 },
      );
      assert.ok(moves.length > 0);
      assert.ok(created <= 6, `${created} nodes at a period of ${periodMs} ms`);
      assert.ok(reversals <= 4, `${reversals} reversals at a period of ${periodMs} ms`);
    }
  });

  it('keeps its distances whatever the load does', () => {
    const load = fc.record({
      pending: fc.integer({ min: 0, max: 4 }),
      ratio: fc.constantFrom(0, 0.1, 0.29, 0.5, 0.8, 1),
    });
    const length = FIVE_MINUTES_MS / CHECK_MS + 1;
    fc.assert(
      fc.property(fc.array(load, { minLength: length, maxLength: length }), (loads) => {
        const { moves, reversals } = play(
          (atMs) => loads[atMs / CHECK_MS] ?? { pending: 0, ratio: 0 },
        );
        for (const [index, { kind, atMs }] of moves.entries())
          for (const before of moves.slice(0, index)) {
            const sinceMs = atMs - before.atMs;
            if (kind === 'down') assert.ok(sinceMs >= 120_000, `down ${sinceMs} ms after another`);
            else if (before.kind === 'up')
              assert.ok(sinceMs >= 60_000, `up ${sinceMs} ms after up`);
          }
        assert.ok(reversals <= 4);
      }),
      { seed: 42, numRuns: 100 },
    );
  });
});
