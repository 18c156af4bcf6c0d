import type { Assessment, Keypoint, Pose, Side } from '../types';

/** Bounds of a good posture, in degrees from the vertical; the bounds themselves are not good. */
export const GOOD_POSTURE = { neckAbove: 10, neckBelow: 50, bodyBelow: 20 } as const;

const DEGREES = 180 / Math.PI;

/**
 * Angle between the line from one point to another and the upward vertical, in degrees: 0 when `to` is right
 * above `from`, 90 when level with it, 180 when right below. Left and right count the same. 0 for one point.
 */
export function inclinationDegrees(
  from: Pick<Keypoint, 'x' | 'y'>,
  to: Pick<Keypoint, 'x' | 'y'>,
): number {
  return Math.atan2(Math.abs(to.x - from.x), from.y - to.y) * DEGREES;
}

interface SidePoints {
  readonly side: Side;
  readonly ear: Keypoint;
  readonly shoulder: Keypoint;
  readonly hip: Keypoint;
  /** Least confidence of the three. */
  readonly confidence: number;
}

function sideOf(pose: Pose, side: Side): SidePoints {
  const ear = side === 'left' ? pose.leftEar : pose.rightEar;
  const shoulder = side === 'left' ? pose.leftShoulder : pose.rightShoulder;
  const hip = side === 'left' ? pose.leftHip : pose.rightHip;
  const confidence = Math.min(ear.confidence, shoulder.confidence, hip.confidence);
  return { side, ear, shoulder, hip, confidence };
}

/**
 * Judges a pose by the side of the body that was seen better (the greater least confidence of ear, shoulder and
 * hip; left, if equal):
 *
 *     neck = angle(shoulder -> ear, vertical)     body = angle(hip -> shoulder, vertical)
 *     Good when 10 < neck < 50 and body < 20, else Bad
 *
 * NoPose when one of the three was seen with less than minConfidence (0..1): an inclination that was not seen is
 * unknown and not upright. So a picture without hips is NoPose, with its neck angle where that is known.
 */
export function assessPosture(pose: Pose, minConfidence: number): Assessment {
  const left = sideOf(pose, 'left');
  const right = sideOf(pose, 'right');
  const seen = right.confidence > left.confidence ? right : left;
  const { side, ear, shoulder, hip, confidence } = seen;
  const missing = Object.entries({ ear, shoulder, hip }).flatMap(([name, point]) =>
    point.confidence < minConfidence ? [name] : [],
  );
  const neckDegrees = inclinationDegrees(shoulder, ear);
  if (missing.length > 0)
    return {
      posture: 'NoPose',
      side,
      ...(missing.includes('ear') || missing.includes('shoulder') ? {} : { neckDegrees }),
      confidence,
      reason: `not seen: ${missing.join(', ')}`,
    };
  const bodyDegrees = inclinationDegrees(hip, shoulder);
  const good =
    neckDegrees > GOOD_POSTURE.neckAbove &&
    neckDegrees < GOOD_POSTURE.neckBelow &&
    bodyDegrees < GOOD_POSTURE.bodyBelow;
  return { posture: good ? 'Good' : 'Bad', side, neckDegrees, bodyDegrees, confidence };
}
