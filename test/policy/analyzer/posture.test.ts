import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assessPosture, inclinationDegrees } from '../../../runtime/analyzer/policy/posture';
import { KEYPOINT_NAMES, type Keypoint, type Pose } from '../../../runtime/analyzer/types';

const RADIANS = Math.PI / 180;

/** A pose whose right side has the given angles, seen with this confidence; the left side is not seen. */
function rightSide(neckDegrees: number, bodyDegrees: number, confidence = 0.9): Pose {
  const hip = { x: 200, y: 400, confidence };
  const above = (from: Keypoint, degrees: number, length: number): Keypoint => ({
    x: from.x + Math.sin(degrees * RADIANS) * length,
    y: from.y - Math.cos(degrees * RADIANS) * length,
    confidence,
  });
  const shoulder = above(hip, bodyDegrees, 150);
  const unseen: Keypoint = { x: 0, y: 0, confidence: 0 };
  const pose = Object.fromEntries(KEYPOINT_NAMES.map((name) => [name, unseen])) as Pose;
  return {
    ...pose,
    rightHip: hip,
    rightShoulder: shoulder,
    rightEar: above(shoulder, neckDegrees, 60),
  };
}

const angle = fc.double({ min: 0, max: 180, noNaN: true });
const point = fc.record({
  x: fc.double({ min: -1000, max: 1000, noNaN: true }),
  y: fc.double({ min: -1000, max: 1000, noNaN: true }),
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
});
const anyPose = fc
  .array(point, { minLength: KEYPOINT_NAMES.length, maxLength: KEYPOINT_NAMES.length })
  .map((points) => Object.fromEntries(KEYPOINT_NAMES.map((name, i) => [name, points[i]])) as Pose);

describe('posture policy', () => {
  const verdicts: readonly (readonly [number, number, 'Good' | 'Bad'])[] = [
    [25, 5, 'Good'],
    [10.1, 0, 'Good'],
    [49.9, 19.9, 'Good'],
    [9.9, 5, 'Bad'],
    [0, 0, 'Bad'],
    [50.1, 5, 'Bad'],
    [25, 20.1, 'Bad'],
    [120, 5, 'Bad'],
    [25, 170, 'Bad'],
  ];
  for (const [neck, body, verdict] of verdicts)
    it(`calls neck ${neck}° and body ${body}° ${verdict}`, () => {
      const assessment = assessPosture(rightSide(neck, body), 0.3);
      assert.equal(assessment.posture, verdict);
    });

  it('measures 0° upright, 90° level, 180° upside down, and 0° where there is no line', () => {
    const at = { x: 5, y: 5 };
    assert.equal(inclinationDegrees(at, { x: 5, y: 0 }), 0);
    assert.equal(inclinationDegrees(at, { x: 0, y: 5 }), 90);
    assert.equal(inclinationDegrees(at, { x: 5, y: 9 }), 180);
    assert.equal(inclinationDegrees(at, at), 0);
  });

  it('gives back the angles that a body was drawn with', () => {
    fc.assert(
      fc.property(angle, angle, (neck, body) => {
        const assessment = assessPosture(rightSide(neck, body), 0.3);
        assert.ok(assessment.posture !== 'NoPose');
        assert.ok(Math.abs(assessment.neckDegrees - neck) < 1e-6);
        assert.ok(Math.abs(assessment.bodyDegrees - body) < 1e-6);
        const good = neck > 10 && neck < 50 && body < 20;
        const onBound = [neck - 10, neck - 50, body - 20].some((d) => Math.abs(d) < 1e-6);
        assert.ok(onBound || good === (assessment.posture === 'Good'));
      }),
    );
  });

  it('sees no difference between a picture and its mirror image, nor between sizes and places', () => {
    const swap = (name: string) =>
      name.startsWith('left') ? name.replace('left', 'right') : name.replace('right', 'left');
    const shift = fc.double({ min: -500, max: 500, noNaN: true });
    const size = fc.double({ min: 0.1, max: 10, noNaN: true });
    fc.assert(
      fc.property(angle, angle, shift, size, (neck, body, dx, scale) => {
        const pose = rightSide(neck, body);
        const mirrored = Object.fromEntries(
          Object.entries(pose).map(([name, { x, y, confidence }]) => [
            swap(name),
            { x: dx - x * scale, y: y * scale, confidence },
          ]),
        ) as Pose;
        const [a, b] = [assessPosture(pose, 0.3), assessPosture(mirrored, 0.3)];
        assert.equal(b.side, 'left');
        assert.ok(Math.abs((a.neckDegrees ?? 0) - (b.neckDegrees ?? 0)) < 1e-6);
      }),
    );
  });

  it('never judges by a keypoint that was seen with less than the least confidence', () => {
    fc.assert(
      fc.property(anyPose, fc.double({ min: 0, max: 1, noNaN: true }), (pose, minimum) => {
        const assessment = assessPosture(pose, minimum);
        const best = Math.max(
          Math.min(pose.leftEar.confidence, pose.leftShoulder.confidence, pose.leftHip.confidence),
          Math.min(
            pose.rightEar.confidence,
            pose.rightShoulder.confidence,
            pose.rightHip.confidence,
          ),
        );
        assert.equal(assessment.confidence, best);
        assert.equal(assessment.posture === 'NoPose', best < minimum);
        if (assessment.posture !== 'NoPose')
          for (const value of [assessment.neckDegrees, assessment.bodyDegrees])
            assert.ok(value >= 0 && value <= 180);
      }),
    );
  });

  it('names what was not seen, and keeps the neck angle of a picture without hips', () => {
    const pose = rightSide(30, 5);
    const noHip = { ...pose, rightHip: { ...pose.rightHip, confidence: 0.1 } };
    const assessment = assessPosture(noHip, 0.3);
    assert.ok(assessment.posture === 'NoPose');
    assert.equal(assessment.reason, 'not seen: hip');
    assert.equal(assessment.neckDegrees?.toFixed(3), '30.000');
    const noShoulder = { ...pose, rightShoulder: { ...pose.rightShoulder, confidence: 0 } };
    const unknown = assessPosture(noShoulder, 0.3);
    assert.equal(unknown.posture, 'NoPose');
    assert.equal(unknown.neckDegrees, undefined);
  });
});
