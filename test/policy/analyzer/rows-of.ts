import type { Row } from '../../../runtime/analyzer/types';

/** A row for tests. */
export const row = (id: string, fields: Partial<Row> = {}): Row => ({
  id,
  analyzedAt: '2026-01-02T03:04:05.678Z',
  job: 'posture-pi1',
  node: 'node-1',
  image: 'images/a.jpg',
  posture: 'Good',
  neckDegrees: 25.1,
  bodyDegrees: 6,
  confidence: 0.44,
  side: 'right',
  annotatedImage: 'a.jpg',
  durationMs: 12,
  reason: '',
  ...fields,
});
