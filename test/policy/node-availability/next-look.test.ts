import assert from 'node:assert/strict';
import fc from 'fast-check';
import { untilNextLookMs } from '../../../runtime/node-availability/next-look';

const INTERVAL_MS = 10_000;
const SETTLE_MS = 150;

describe('when readings are looked at next', () => {
  it('is half an interval to one and a half later, a fixed time after a scrape', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 600_000 }),
        fc.integer({ min: 100, max: 60_000 }),
        fc.integer({ min: 0, max: 1000 }),
        (ageMs, intervalMs, settleMs) => {
          const pauseMs = untilNextLookMs(ageMs, intervalMs, settleMs);
          assert.ok(pauseMs >= intervalMs / 2 && pauseMs < intervalMs * 1.5, String(pauseMs));
          assert.equal(Math.abs((ageMs + pauseMs - settleMs) % intervalMs), 0);
        },
      ),
    );
  });

  it('finds each scrape SETTLE_MS after it, whenever the first look was, and looks no more often', () => {
    for (const every of [1, 2, 3])
      for (let atMs = 1; atMs < every * INTERVAL_MS; atMs += 777) {
        const scrapeMs = every * INTERVAL_MS;
        const ages: number[] = [];
        let nowMs = atMs;
        for (let look = 0; look < 18; look += 1) {
          const ageMs = nowMs % scrapeMs;
          ages.push(ageMs);
          nowMs += untilNextLookMs(ageMs, INTERVAL_MS, SETTLE_MS);
        }
        assert.ok(ages.slice(1).every((ageMs) => ageMs % INTERVAL_MS === SETTLE_MS));
        assert.equal(ages.slice(6).filter((ageMs) => ageMs === SETTLE_MS).length, 12 / every);
      }
  });
});
