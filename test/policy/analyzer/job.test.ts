import assert from 'node:assert/strict';
import { pino } from 'pino';
import { memoryGallery, memoryStore } from '../../../runtime/analyzer/adapters/memory';
import { Job, type JobParts } from '../../../runtime/analyzer/loop';
import { Outbox } from '../../../runtime/analyzer/outbox';
import type { Analyzer, ImageSource, TakeImage } from '../../../runtime/analyzer/ports';
import type { Analysis } from '../../../runtime/analyzer/types';
import { FakeClock, settle } from './fake-clock';

const GOOD: Analysis = {
  kind: 'assessed',
  annotated: Buffer.from('jpeg'),
  assessment: {
    posture: 'Good',
    side: 'left',
    neckDegrees: 20,
    bodyDegrees: 5,
    confidence: 0.9,
  },
};

/** A job whose source, analyzer and clock the test moves by hand. */
function setUp(options: Partial<JobParts> = {}) {
  const clock = new FakeClock();
  const store = memoryStore();
  const gallery = memoryGallery();
  let take: TakeImage = () => Promise.reject(new Error('not open yet'));
  let end: () => void = () => undefined;
  let lose: (error: Error) => void = () => undefined;
  let breakDown: (error: Error) => void = () => undefined;
  const state = { reachable: true, closed: false };
  const analyses: ((analysis: Analysis) => void)[] = [];
  const source: ImageSource = {
    open: (_consumers, taker) => {
      take = taker;
      return Promise.resolve();
    },
    ended: new Promise((resolve, reject) => {
      end = resolve;
      lose = reject;
    }),
    reachable: () => state.reachable,
    close: () => {
      state.closed = true;
      return Promise.resolve();
    },
  };
  const analyzer: Analyzer = {
    analyze: () => new Promise((resolve) => analyses.push(resolve)),
    broken: new Promise((_resolve, reject) => {
      breakDown = reject;
    }),
    close: () => Promise.resolve(),
  };
  const stop = new AbortController();
  const job = new Job({
    job: 'posture-pi1',
    node: 'node-1',
    runId: 'run',
    source,
    analyzer,
    gallery,
    csv: new Outbox(store, { clock, capacity: 10, onFailure: () => undefined }),
    clock,
    log: pino({ level: 'silent' }),
    consumers: 1,
    maxImages: 0,
    idleTimeoutMs: 0,
    ...options,
  });
  const ended = job.run(stop.signal);
  ended.catch(() => undefined);
  const give = (name: string) => take({ name, content: Buffer.from(name) });
  const answer = (analysis: Analysis) => analyses.shift()?.(analysis);
  return {
    ...{ clock, store, gallery, stop, job, ended, give, answer, state, take: () => take },
    ...{ end: () => end(), lose, breakDown },
  };
}

describe('analyzer job', () => {
  it('writes the row of an image before it says that it is done with it', async () => {
    const { give, answer, store, gallery } = setUp();
    await settle();
    const done = give('images/a.jpg').then((taken) => ({ taken, rows: store.rows.length }));
    await settle();
    answer(GOOD);
    assert.deepEqual(await done, { taken: true, rows: 1 });
    assert.equal(store.rows[0]?.id, 'posture-pi1/run/1');
    assert.ok(gallery.images.has('images/a.jpg'));
  });

  it('ends after the set number of images, and leaves further ones with their sender', async () => {
    const { give, answer, ended, job, state } = setUp({ maxImages: 2 });
    await settle();
    const taken = [give('a'), give('b'), give('c')];
    assert.equal(await taken[2], false);
    answer(GOOD);
    answer({ kind: 'error', reason: 'broken' });
    assert.equal(await ended, 'all images done');
    assert.deepEqual(
      { ...job.summary(), seconds: 0 },
      { images: 2, good: 1, bad: 0, noPose: 0, errors: 1, seconds: 0 },
    );
    assert.ok(state.closed);
  });

  it('ends when no image came for the set time, counted from the last one', async () => {
    const { give, answer, ended, clock } = setUp({ idleTimeoutMs: 10_000 });
    let end: string | undefined;
    void ended.then((why) => (end = why));
    await clock.advance(9000);
    const done = give('a');
    await clock.advance(30_000);
    assert.equal(end, undefined, 'an image is in hand');
    answer(GOOD);
    await done;
    await clock.advance(9000);
    assert.equal(end, undefined);
    await clock.advance(2000);
    assert.equal(end, 'idle');
  });

  it('does not take a source that is out of reach for one without images', async () => {
    const { ended, clock, state } = setUp({ idleTimeoutMs: 10_000 });
    let end: string | undefined;
    void ended.then((why) => (end = why));
    await settle();
    state.reachable = false;
    await clock.advance(60_000);
    assert.equal(end, undefined);
    state.reachable = true;
    await clock.advance(12_000);
    assert.equal(end, 'idle');
  });

  it('ends when it is told to, when the source is exhausted, and fails when it is lost or no worker is left', async () => {
    const stopped = setUp();
    stopped.stop.abort();
    assert.equal(await stopped.ended, 'stopped');
    const exhausted = setUp();
    exhausted.end();
    assert.equal(await exhausted.ended, 'all images done');
    const lost = setUp();
    lost.lose(new Error('broker lost'));
    await assert.rejects(lost.ended, /broker lost/);
    const broken = setUp();
    broken.breakDown(new Error('no worker'));
    await assert.rejects(broken.ended, /no worker/);
    for (const { state } of [stopped, exhausted, lost, broken]) assert.ok(state.closed);
  });

  it('keeps the row when the annotated image cannot be written', async () => {
    const full = { save: () => Promise.reject(new Error('no space left on device')) };
    const { give, answer, store } = setUp({ gallery: full });
    await settle();
    const done = give('a');
    await settle();
    answer(GOOD);
    assert.equal(await done, true);
    assert.deepEqual([store.rows[0]?.posture, store.rows[0]?.annotatedImage], ['Good', '']);
  });

  it('makes an Error row of an image that could not even be read', async () => {
    const { take, store } = setUp();
    await settle();
    assert.equal(await take()({ name: 'x.jpg', content: { unreadable: 'EIO' } }), true);
    assert.deepEqual([store.rows[0]?.posture, store.rows[0]?.reason], ['Error', 'EIO']);
  });
});
