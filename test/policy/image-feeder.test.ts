import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pino } from 'pino';
import { memoryAlbum, memoryPublisher } from '../../runtime/image-feeder/adapters/memory';
import { feed, type FeederParts } from '../../runtime/image-feeder/loop';
import { nextDueMs } from '../../runtime/image-feeder/policy/pace';
import { FakeClock, settle } from './analyzer/fake-clock';

const photographs = ['b.jpg', 'a.jpg'].map((name) => ({ name, bytes: Buffer.from(name) }));

function setUp(options: Partial<FeederParts> = {}) {
  const clock = new FakeClock();
  const publisher = memoryPublisher();
  const end = new AbortController();
  const parts = {
    album: memoryAlbum(photographs),
    publisher,
    clock,
    log: pino({ level: 'silent' }),
    ratePerSecond: 2,
    loop: true,
    ...options,
  };
  const feeding = feed(parts, end.signal);
  feeding.catch(() => undefined);
  return { clock, publisher, end, feeding };
}

describe('image feeder', () => {
  it('is never due before an interval is over, and never publishes faster than the rate for long', () => {
    const late = fc.double({ min: 0, max: 100_000, noNaN: true });
    const rate = fc.double({ min: 0.01, max: 1000, noNaN: true });
    fc.assert(
      fc.property(late, rate, (lateMs, ratePerSecond) => {
        const intervalMs = 1000 / ratePerSecond;
        const due = nextDueMs(0, lateMs, ratePerSecond);
        assert.ok(due >= intervalMs);
        // At most one image is made up for, however long the broker was away.
        assert.ok(due >= lateMs - intervalMs);
      }),
    );
  });

  it('publishes the images in the order of their names, at the rate, again and again', async () => {
    const { clock, publisher, end, feeding } = setUp();
    await clock.advance(9_900);
    assert.equal(publisher.published.length, 20);
    assert.deepEqual(
      publisher.published.slice(0, 4).map(({ name }) => name),
      ['a.jpg', 'b.jpg', 'a.jpg', 'b.jpg'],
    );
    end.abort();
    assert.deepEqual(await feeding, { published: 20, skipped: 0 });
  });

  it('publishes each image once without looping', async () => {
    const { clock, feeding } = setUp({ loop: false });
    await clock.advance(5000);
    assert.deepEqual(await feeding, { published: 2, skipped: 0 });
  });

  it('leaves out what it cannot read, and says so when that is all', async () => {
    const album = memoryAlbum(photographs);
    const broken = { ...album, names: () => Promise.resolve(['gone.jpg', 'a.jpg']) };
    const { clock, feeding } = setUp({ album: broken, loop: false });
    await clock.advance(5000);
    assert.deepEqual(await feeding, { published: 1, skipped: 1 });
    const none = { ...album, names: () => Promise.resolve(['gone.jpg']) };
    await assert.rejects(setUp({ album: none }).feeding, /none of the images can be read/);
    await assert.rejects(setUp({ album: memoryAlbum([]) }).feeding, /holds no JPEG or PNG/);
    await settle();
  });
});
