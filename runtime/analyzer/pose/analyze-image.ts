import { join } from 'node:path';
import { assessPosture } from '../policy/posture';
import type { Analysis } from '../types';
import { createAnnotator } from './annotate';
import { decodeImage, ImageError, type ImageLimits } from './decode';
import { loadMoveNet } from './movenet';

/** What the analysis of images takes. */
export interface AnalysisOptions extends ImageLimits {
  /** Folder with the model, the WebAssembly and the font. */
  readonly assets: string;
  /** 0..1 */
  readonly minConfidence: number;
}

/** Analyzes one image after the other. */
export type AnalyzeImage = (bytes: Uint8Array) => Promise<Analysis>;

/**
 * Loads the model; then each image is decoded, its pose found and judged, and the picture drawn. An image that
 * cannot be decoded gives an analysis of kind error; anything else that goes wrong rejects.
 * @throws when an asset is missing or broken.
 */
export async function createAnalyzeImage(options: AnalysisOptions): Promise<AnalyzeImage> {
  const { assets, minConfidence } = options;
  const detector = await loadMoveNet({ modelDirectory: assets, wasmDirectory: assets });
  const annotate = await createAnnotator(join(assets, 'open-sans-16-white.fnt'), minConfidence);
  return async (bytes) => {
    try {
      const bitmap = await decodeImage(bytes, options);
      const pose = detector.detect(bitmap);
      const assessment = assessPosture(pose, minConfidence);
      return { kind: 'assessed', assessment, annotated: await annotate(bitmap, pose, assessment) };
    } catch (error) {
      if (error instanceof ImageError) return { kind: 'error', reason: error.message };
      throw error;
    }
  };
}
