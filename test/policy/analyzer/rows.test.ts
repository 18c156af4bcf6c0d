import assert from 'node:assert/strict';
import fc from 'fast-check';
import { galleryFileName } from '../../../runtime/analyzer/adapters/folder-gallery';
import { printable, toRow } from '../../../runtime/analyzer/policy/rows';
import { count, EMPTY_TALLY } from '../../../runtime/analyzer/policy/tally';
import type { Posture } from '../../../runtime/analyzer/types';

const origin = {
  id: 'posture-pi1/0/1',
  analyzedAt: '2026-01-02T03:04:05.678Z',
  job: 'posture-pi1',
  node: 'node-1',
  image: 'images/a.jpg',
  annotatedImage: '',
  durationMs: 12.6,
};

describe('rows of the analyzer', () => {
  it('has angles to a tenth of a degree and whole milliseconds', () => {
    const row = toRow(origin, {
      kind: 'assessed',
      annotated: new Uint8Array(),
      assessment: {
        posture: 'Good',
        side: 'left',
        neckDegrees: 25.1234,
        bodyDegrees: 5.96,
        confidence: 0.4444,
      },
    });
    assert.deepEqual(row, {
      ...origin,
      durationMs: 13,
      posture: 'Good',
      neckDegrees: 25.1,
      bodyDegrees: 6,
      confidence: 0.44,
      side: 'left',
      reason: '',
    });
  });

  it('leaves empty what a picture without hips or an error does not tell, and never says 0', () => {
    const noPose = toRow(origin, {
      kind: 'assessed',
      annotated: new Uint8Array(),
      assessment: { posture: 'NoPose', side: 'right', confidence: 0.1, reason: 'not seen: ear' },
    });
    assert.deepEqual(
      [noPose.posture, noPose.neckDegrees, noPose.bodyDegrees, noPose.reason],
      ['NoPose', '', '', 'not seen: ear'],
    );
    const error = toRow(origin, { kind: 'error', reason: 'broken\u0000\nby a decoder' });
    assert.deepEqual(
      [error.posture, error.neckDegrees, error.confidence, error.reason],
      ['Error', '', '', 'broken??by a decoder'],
    );
  });

  it('prints any text without control characters, halves of characters or more than 200 characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        const printed = printable(text);
        assert.doesNotMatch(printed, /[\p{Cc}\p{Cs}]/u);
        assert.equal(Array.from(printed).length, Math.min(200, Array.from(text).length));
      }),
    );
  });

  it('names files of annotated images so that no image name leads out of the folder', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (image) => {
        const name = galleryFileName('posture-pi1', origin.analyzedAt, 7, image);
        assert.match(name, /^posture-pi1_20260102T030405_678Z_7_[A-Za-z0-9_-]{0,80}\.jpg$/);
      }),
    );
    assert.equal(
      galleryFileName('posture-pi1', origin.analyzedAt, 7, 'images/../etc/my photo.JPG'),
      'posture-pi1_20260102T030405_678Z_7_my_photo.jpg',
    );
  });

  it('counts every image once', () => {
    const posture = fc.constantFrom<Posture>('Good', 'Bad', 'NoPose', 'Error');
    fc.assert(
      fc.property(fc.array(posture), (postures) => {
        const tally = postures.reduce(count, EMPTY_TALLY);
        assert.equal(tally.images, postures.length);
        assert.equal(tally.images, tally.good + tally.bad + tally.noPose + tally.errors);
        assert.equal(tally.errors, postures.filter((p) => p === 'Error').length);
      }),
    );
  });
});
