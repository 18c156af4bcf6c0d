import type { Analysis } from './types';

/** An image to analyze; the next one is sent when this one is done. */
export interface ToWorker {
  readonly bytes: Uint8Array;
}

/** What a worker says: that it has loaded the model, and what came of an image. */
export type FromWorker =
  { readonly kind: 'ready' } | { readonly kind: 'done'; readonly analysis: Analysis };
