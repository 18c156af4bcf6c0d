import { Jimp, JimpMime, loadFont } from 'jimp';
import type { Assessment, Keypoint, KeypointName, Pose } from '../types';
import { darkenCorner, drawDisc, drawLine, type Colour } from './draw';
import type { Bitmap } from './letterbox';

/** Draws what was found into a picture, and makes it a JPEG. */
export type Annotator = (bitmap: Bitmap, pose: Pose, assessment: Assessment) => Promise<Buffer>;

const QUALITY = 80;
const LINE_HEIGHT = 24;
const MARGIN = 6;
const LABEL_WIDTH = 210;
const DOT: Colour = [255, 220, 0];
const LIMB: Colour = [150, 150, 150];
const VERDICT: Readonly<Record<Assessment['posture'], Colour>> = {
  Good: [40, 200, 80],
  Bad: [230, 50, 40],
  NoPose: [80, 140, 230],
};
const LIMBS: readonly (readonly [KeypointName, KeypointName])[] = [
  ['leftShoulder', 'rightShoulder'],
  ['leftShoulder', 'leftElbow'],
  ['leftElbow', 'leftWrist'],
  ['rightShoulder', 'rightElbow'],
  ['rightElbow', 'rightWrist'],
  ['leftHip', 'rightHip'],
  ['leftHip', 'leftKnee'],
  ['leftKnee', 'leftAnkle'],
  ['rightHip', 'rightKnee'],
  ['rightKnee', 'rightAnkle'],
];

const degrees = (value: number | undefined): string =>
  value === undefined ? 'unknown' : `${value.toFixed(1)} deg`;

/** The text in the picture's corner. */
export function labelLines(assessment: Assessment): string[] {
  const body = assessment.posture === 'NoPose' ? undefined : assessment.bodyDegrees;
  return [
    assessment.posture,
    `neck ${degrees(assessment.neckDegrees)}`,
    `body ${degrees(body)}`,
    ...(assessment.posture === 'NoPose' ? [assessment.reason] : []),
  ];
}

/**
 * An annotator that draws keypoints and limbs seen with at least minConfidence (0..1), the two lines whose angles
 * were judged, and a label.
 * @throws when the font cannot be read.
 */
export async function createAnnotator(fontFile: string, minConfidence: number): Promise<Annotator> {
  const font = await loadFont(fontFile);
  return async (bitmap, pose, assessment) => {
    const seen = ({ confidence }: Keypoint): boolean => confidence >= minConfidence;
    const thickness = Math.max(1, Math.max(bitmap.width, bitmap.height) / 300);
    const line = (from: KeypointName, to: KeypointName, radius: number, colour: Colour) => {
      if (seen(pose[from]) && seen(pose[to]))
        drawLine(bitmap, pose[from], pose[to], radius, colour);
    };
    for (const [from, to] of LIMBS) line(from, to, thickness / 2, LIMB);
    const { side } = assessment;
    const colour = VERDICT[assessment.posture];
    line(`${side}Hip`, `${side}Shoulder`, thickness, colour);
    line(`${side}Shoulder`, `${side}Ear`, thickness, colour);
    for (const keypoint of Object.values(pose))
      if (seen(keypoint)) drawDisc(bitmap, keypoint, thickness * 1.5, DOT);
    const lines = labelLines(assessment);
    darkenCorner(bitmap, LABEL_WIDTH, lines.length * LINE_HEIGHT + 2 * MARGIN);
    const image = new Jimp({
      width: bitmap.width,
      height: bitmap.height,
      data: Buffer.from(bitmap.data.buffer, bitmap.data.byteOffset, bitmap.data.byteLength),
    });
    for (const [index, text] of lines.entries())
      image.print({ font, x: MARGIN, y: MARGIN + index * LINE_HEIGHT, text });
    return image.getBuffer(JimpMime.jpeg, { quality: QUALITY });
  };
}
