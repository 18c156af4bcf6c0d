import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/log';
import { nextDueMs } from './policy/pace';
import type { Album, Publisher } from './ports';
import type { FeederCounts } from './types';

export interface FeederParts {
  readonly album: Album;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ratePerSecond: number;
  readonly loop: boolean;
  /** Told of each image: published, or left out. */
  onImage?(outcome: keyof FeederCounts): void;
}

/**
 * Publishes the album's images in turn at the given rate until the signal aborts or, without `loop`, each was
 * published once. An image that cannot be read is counted and left out.
 * @throws when the album holds no image, or none that can be read.
 */
export async function feed(parts: FeederParts, signal: AbortSignal): Promise<FeederCounts> {
  const { album, publisher, clock, log } = parts;
  let published = 0;
  let skipped = 0;
  let dueMs = clock.monotonicMs();
  for (;;) {
    const names = await album.names();
    if (names.length === 0) throw new Error('the folder holds no JPEG or PNG image');
    const before = published;
    for (const name of names) {
      if (signal.aborted) return { published, skipped };
      const photograph = await album.read(name).catch((error: unknown) => {
        log.warn({ image: name, err: error }, 'left out');
        return undefined;
      });
      if (photograph === undefined) {
        skipped += 1;
        parts.onImage?.('skipped');
      } else {
        await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()), signal);
        if (signal.aborted) return { published, skipped };
        await publisher.publish(photograph);
        published += 1;
        parts.onImage?.('published');
        dueMs = nextDueMs(dueMs, clock.monotonicMs(), parts.ratePerSecond);
        log.debug({ image: name, bytes: photograph.bytes.length }, 'published');
      }
    }
    if (published === before) throw new Error('none of the images can be read');
    if (!parts.loop) return { published, skipped };
  }
}
