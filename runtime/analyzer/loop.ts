import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/log';
import type { Outbox } from './outbox';
import { toRow } from './policy/rows';
import { count, EMPTY_TALLY, type Tally } from './policy/tally';
import type { Analyzer, Gallery, ImageSource } from './ports';
import type { Analysis, IncomingImage, Summary } from './types';

export interface JobParts {
  readonly job: string;
  readonly node: string;
  /** Unique to this run, part of each row's id. */
  readonly runId: string;
  readonly source: ImageSource;
  readonly analyzer: Analyzer;
  readonly gallery: Gallery;
  /** Must have each row before its image is acknowledged. */
  readonly csv: Outbox;
  /** Gets each row in its own time. */
  readonly database?: Outbox;
  readonly clock: Clock;
  readonly log: Logger;
  readonly consumers: number;
  /** 0 means no limit. */
  readonly maxImages: number;
  /** 0 means never. */
  readonly idleTimeoutMs: number;
}

/** Why a job ended. */
export type JobEnd = 'all images done' | 'idle' | 'stopped';

/** Images from the source through the analyzer to rows and annotated images, until the job ends. */
export class Job {
  private tally: Tally = EMPTY_TALLY;
  private taken = 0;
  private inHand = 0;
  private lastActivityMs: number;
  private readonly startedMs: number;
  private reachedLimit: () => void = () => undefined;

  constructor(private readonly parts: JobParts) {
    this.startedMs = parts.clock.monotonicMs();
    this.lastActivityMs = this.startedMs;
  }

  summary(): Summary {
    const seconds = (this.parts.clock.monotonicMs() - this.startedMs) / 1000;
    return { ...this.tally, seconds: Math.round(seconds * 10) / 10 };
  }

  /**
   * Works until the set number of images is done, no image has come for the set time, the source is exhausted or the
   * signal aborts; what is in hand then is finished.
   * @throws when the source cannot be reached or is lost, or no image can be analyzed any more.
   */
  async run(stop: AbortSignal): Promise<JobEnd> {
    const { source, analyzer, consumers, log } = this.parts;
    const over = new AbortController();
    const limit = new Promise<JobEnd>((resolve) => {
      this.reachedLimit = () => resolve('all images done');
    });
    const stopped = new Promise<JobEnd>((resolve) => {
      if (stop.aborted) resolve('stopped');
      else stop.addEventListener('abort', () => resolve('stopped'), { once: true });
    });
    const work = async (): Promise<JobEnd> => {
      await source.open(consumers, (image) => this.take(image));
      log.info({ event: 'ready' }, 'ready for images');
      this.lastActivityMs = this.parts.clock.monotonicMs();
      return Promise.race([
        limit,
        source.ended.then((): JobEnd => 'all images done'),
        this.idle(over.signal),
      ]);
    };
    try {
      return await Promise.race([stopped, work(), analyzer.broken]);
    } finally {
      over.abort();
      await source.close();
    }
  }

  private async idle(over: AbortSignal): Promise<JobEnd> {
    const { clock, idleTimeoutMs, source } = this.parts;
    if (idleTimeoutMs === 0) return new Promise(() => undefined);
    for (;;) {
      // While the source is out of reach, nobody knows whether there are images.
      if (this.inHand > 0 || !source.reachable()) this.lastActivityMs = clock.monotonicMs();
      const leftMs = this.lastActivityMs + idleTimeoutMs - clock.monotonicMs();
      if (leftMs <= 0 || over.aborted) return 'idle';
      await clock.sleep(Math.min(leftMs, 1000), over);
    }
  }

  private async take(image: IncomingImage): Promise<boolean> {
    const { maxImages } = this.parts;
    if (maxImages > 0 && this.taken >= maxImages) return false;
    this.taken += 1;
    this.inHand += 1;
    try {
      await this.process(image, this.taken);
    } finally {
      this.inHand -= 1;
      this.lastActivityMs = this.parts.clock.monotonicMs();
    }
    if (maxImages > 0 && this.tally.images >= maxImages) this.reachedLimit();
    return true;
  }

  private async process({ name, content }: IncomingImage, number: number): Promise<void> {
    const { analyzer, clock, csv, database, job, node, log, runId } = this.parts;
    const startedMs = clock.monotonicMs();
    const analysis: Analysis =
      content instanceof Uint8Array
        ? await analyzer.analyze(content)
        : { kind: 'error', reason: content.unreadable };
    const analyzedAt = new Date(clock.nowMs()).toISOString();
    const origin = { id: `${job}/${runId}/${number}`, analyzedAt, job, node, image: name };
    const annotatedImage = await this.save(origin, analysis);
    const durationMs = clock.monotonicMs() - startedMs;
    const row = toRow({ ...origin, annotatedImage, durationMs }, analysis);
    await csv.add(row);
    void database?.add(row);
    this.tally = count(this.tally, row.posture);
    log.info({ event: 'image', ...row }, row.posture);
  }

  /** Name of the annotated image; empty where there is none. */
  private async save(
    origin: { readonly analyzedAt: string; readonly job: string; readonly image: string },
    analysis: Analysis,
  ): Promise<string> {
    if (analysis.kind === 'error') return '';
    try {
      return await this.parts.gallery.save(origin, analysis.annotated);
    } catch (error) {
      this.parts.log.error(
        { event: 'output', image: origin.image, err: error },
        'the annotated image could not be written',
      );
      return '';
    }
  }
}
