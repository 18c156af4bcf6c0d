import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Jimp } from 'jimp';
import { createAnalyzeImage, type AnalyzeImage } from '../../runtime/analyzer/pose/analyze-image';
import { decodeImage } from '../../runtime/analyzer/pose/decode';
import { loadMoveNet, type PoseDetector } from '../../runtime/analyzer/pose/movenet';
import type { KeypointName } from '../../runtime/analyzer/types';
import { contextOf } from './support/service-process';

const samples = path.resolve(__dirname, '..', '..', 'images', 'samples');
const sample = (name: string): Buffer => readFileSync(path.join(samples, `${name}.jpg`));
const LIMITS = { maxBytes: 10_000_000, maxPixels: 12_500_000 };

describe('pose model on the sample photographs', () => {
  let detector: PoseDetector;
  let analyze: AnalyzeImage;
  const errorListeners = () =>
    ['uncaughtException', 'unhandledRejection'].map((event) => process.rawListeners(event));
  let listenersBefore: ReturnType<typeof errorListeners>;
  before(async function () {
    this.timeout(600_000);
    const assets = path.join(await contextOf('analyzer'), 'assets');
    listenersBefore = errorListeners();
    detector = await loadMoveNet({ modelDirectory: assets, wasmDirectory: assets });
    analyze = await createAnalyzeImage({ assets, minConfidence: 0.3, ...LIMITS });
  });

  it('leaves it to the process what happens after an error', () => {
    assert.deepEqual(errorListeners(), listenersBefore);
  });

  /** Where a person sees these keypoints, in pixels. */
  const expected: Readonly<
    Record<string, Partial<Record<KeypointName, readonly [number, number]>>>
  > = {
    astronaut: {
      nose: [222, 122],
      leftEar: [276, 115],
      rightEar: [177, 112],
      leftShoulder: [318, 272],
      rightShoulder: [108, 258],
    },
    officer: {
      nose: [263, 232],
      leftEar: [358, 219],
      rightEar: [172, 220],
      leftShoulder: [457, 431],
      rightShoulder: [82, 423],
    },
    photographer: {
      nose: [249, 162],
      rightEar: [191, 137],
      rightShoulder: [88, 175],
      rightHip: [40, 358],
    },
  };
  for (const [name, keypoints] of Object.entries(expected))
    it(`finds the keypoints of the ${name} where they are`, async () => {
      const pose = detector.detect(await decodeImage(sample(name), LIMITS));
      for (const [keypoint, [x, y]] of Object.entries(keypoints)) {
        const found = pose[keypoint as KeypointName];
        const distance = Math.hypot(found.x - x, found.y - y);
        assert.ok(distance < 25, `${keypoint} is ${Math.round(distance)} pixels off`);
        assert.ok(found.confidence > 0.4, `${keypoint}: confidence ${found.confidence}`);
      }
    }).timeout(600_000);

  const verdicts = [
    ['astronaut', 'Good', 25, 6],
    ['photographer', 'Bad', 69, 15],
    ['officer', 'NoPose', 25, undefined],
  ] as const;
  for (const [name, posture, neck, body] of verdicts)
    it(`judges the ${name} ${posture} and draws what it saw`, async () => {
      const analysis = await analyze(sample(name));
      assert.ok(analysis.kind === 'assessed');
      const { assessment, annotated } = analysis;
      assert.equal(assessment.posture, posture);
      assert.ok(Math.abs((assessment.neckDegrees ?? NaN) - neck) < 4);
      if (assessment.posture === 'NoPose') assert.equal(assessment.reason, 'not seen: hip');
      else assert.ok(Math.abs(assessment.bodyDegrees - (body ?? NaN)) < 4);

      const before = await Jimp.fromBuffer(sample(name));
      const drawn = await Jimp.fromBuffer(Buffer.from(annotated));
      assert.deepEqual([drawn.width, drawn.height], [before.width, before.height]);
      const pose = detector.detect(await decodeImage(sample(name), LIMITS));
      const [ear, shoulder] = [pose[`${assessment.side}Ear`], pose[`${assessment.side}Shoulder`]];
      const middle = [(ear.x + shoulder.x) / 2, (ear.y + shoulder.y) / 2].map(Math.round);
      const at = ((middle[1] ?? 0) * drawn.width + (middle[0] ?? 0)) * 4;
      const colour = { Good: [40, 200, 80], Bad: [230, 50, 40], NoPose: [80, 140, 230] }[posture];
      const distance = (data: Uint8Array) =>
        colour.reduce((sum, value, i) => sum + Math.abs(value - (data[at + i] ?? 0)), 0);
      // JPEG blurs thin lines of a strong colour.
      assert.ok(distance(drawn.bitmap.data) < 120, `${distance(drawn.bitmap.data)}`);
    }).timeout(600_000);

  it('gives the same answer for a picture whatever came before it', async () => {
    const first = await analyze(sample('astronaut'));
    await analyze(sample('photographer'));
    assert.deepEqual(await analyze(sample('astronaut')), first);
  }).timeout(600_000);

  it('finds no pose in a picture without a person', async () => {
    const empty = await new Jimp({ width: 320, height: 240, color: 0x808080ff }).getBuffer(
      'image/png',
    );
    const analysis = await analyze(empty);
    assert.ok(analysis.kind === 'assessed');
    assert.equal(analysis.assessment.posture, 'NoPose');
  }).timeout(600_000);

  it('judges the same photograph alike when it is larger or smaller', async () => {
    for (const factor of [0.5, 3]) {
      const image = await Jimp.fromBuffer(sample('photographer'));
      const analysis = await analyze(await image.scale(factor).getBuffer('image/jpeg'));
      assert.ok(analysis.kind === 'assessed');
      assert.equal(analysis.assessment.posture, 'Bad');
      assert.ok(Math.abs((analysis.assessment.neckDegrees ?? NaN) - 69) < 4);
    }
  }).timeout(300_000);
});
