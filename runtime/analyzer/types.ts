/** A message or file as it came in; not known to be an image yet. */
export interface IncomingImage {
  /** Topic or file name. */
  readonly name: string;
  /** What came, or why there is nothing. */
  readonly content: Uint8Array | { readonly unreadable: string };
}

/** Keypoints that MoveNet gives, in its order. */
export const KEYPOINT_NAMES = [
  'nose',
  'leftEye',
  'rightEye',
  'leftEar',
  'rightEar',
  'leftShoulder',
  'rightShoulder',
  'leftElbow',
  'rightElbow',
  'leftWrist',
  'rightWrist',
  'leftHip',
  'rightHip',
  'leftKnee',
  'rightKnee',
  'leftAnkle',
  'rightAnkle',
] as const;

export type KeypointName = (typeof KEYPOINT_NAMES)[number];

/** Where a part of the body was seen. */
export interface Keypoint {
  /** Pixels from the left edge; may lie outside of the image. */
  readonly x: number;
  /** Pixels from the top edge; grows downwards. */
  readonly y: number;
  /** How sure the model is, 0..1. */
  readonly confidence: number;
}

/** One keypoint for each name. */
export type Pose = Readonly<Record<KeypointName, Keypoint>>;

/** Side of the body, from the person's own view. */
export type Side = 'left' | 'right';

/** What the policy makes of a pose. Angles are degrees from the vertical, 0 (upright) to 180. */
export type Assessment =
  | {
      readonly posture: 'Good' | 'Bad';
      readonly side: Side;
      readonly neckDegrees: number;
      readonly bodyDegrees: number;
      /** Least confidence of the three keypoints used, 0..1. */
      readonly confidence: number;
    }
  | {
      readonly posture: 'NoPose';
      readonly side: Side;
      /** Known where ear and shoulder were seen. */
      readonly neckDegrees?: number;
      readonly confidence: number;
      /** Which keypoints were not seen. */
      readonly reason: string;
    };

/** What came of an image: an assessment with its picture, or why there is none. */
export type Analysis =
  | { readonly kind: 'assessed'; readonly assessment: Assessment; readonly annotated: Uint8Array }
  | { readonly kind: 'error'; readonly reason: string };

export type Posture = Assessment['posture'] | 'Error';

/** One row of the result: of the CSV, of the log and of table posture_log. Empty where there is no value. */
export interface Row {
  /** Unique over all jobs and runs, so that a row can be written again without doubling it. */
  readonly id: string;
  /** When the analysis ended, ISO 8601, UTC. */
  readonly analyzedAt: string;
  readonly job: string;
  readonly node: string;
  /** Topic or file name of the image. */
  readonly image: string;
  readonly posture: Posture;
  readonly neckDegrees: number | '';
  readonly bodyDegrees: number | '';
  /** 0..1 */
  readonly confidence: number | '';
  readonly side: Side | '';
  /** File name of the annotated image in OUTPUT_DIR. */
  readonly annotatedImage: string;
  readonly durationMs: number;
  /** Why the posture is Error or NoPose, or what else went wrong. */
  readonly reason: string;
}

/** What a job has done so far, and what it says when it ends. */
export interface Summary {
  /** All images: good + bad + noPose + errors. */
  readonly images: number;
  readonly good: number;
  readonly bad: number;
  readonly noPose: number;
  readonly errors: number;
  /** Since the job started. */
  readonly seconds: number;
}
