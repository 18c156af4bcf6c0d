import type { Analysis, Row } from '../types';

/** Columns of the CSV, in order. */
export const ROW_COLUMNS = [
  'id',
  'analyzedAt',
  'job',
  'node',
  'image',
  'posture',
  'neckDegrees',
  'bodyDegrees',
  'confidence',
  'side',
  'annotatedImage',
  'durationMs',
  'reason',
] as const satisfies readonly (keyof Row)[];

const MAX_TEXT_LENGTH = 200;

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** A text as it can stand in a row: without control characters and halves of characters, at most 200 of them. */
export const printable = (text: string): string =>
  Array.from(text)
    .slice(0, MAX_TEXT_LENGTH)
    .join('')
    .replace(/[\p{Cc}\p{Cs}]/gu, '?');

/** The facts of a row that the analysis does not know. */
export type RowOrigin = Pick<
  Row,
  'id' | 'analyzedAt' | 'job' | 'node' | 'image' | 'annotatedImage' | 'durationMs'
>;

/** The row of an image; angles to a tenth of a degree, confidence to a hundredth. */
export function toRow(origin: RowOrigin, analysis: Analysis): Row {
  const common = {
    ...origin,
    image: printable(origin.image),
    durationMs: Math.round(origin.durationMs),
  };
  if (analysis.kind === 'error')
    return {
      ...common,
      posture: 'Error',
      neckDegrees: '',
      bodyDegrees: '',
      confidence: '',
      side: '',
      reason: printable(analysis.reason),
    };
  const { assessment } = analysis;
  const { neckDegrees } = assessment;
  return {
    ...common,
    posture: assessment.posture,
    neckDegrees: neckDegrees === undefined ? '' : round(neckDegrees, 1),
    bodyDegrees: assessment.posture === 'NoPose' ? '' : round(assessment.bodyDegrees, 1),
    confidence: round(assessment.confidence, 2),
    side: assessment.side,
    reason: assessment.posture === 'NoPose' ? assessment.reason : '',
  };
}
