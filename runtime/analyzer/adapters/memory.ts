import type { Gallery, RowStore } from '../ports';
import type { Row } from '../types';

/** Rows in memory; `failNext` makes the next append reject. */
export function memoryStore(): RowStore & { readonly rows: Row[]; failNext(error: Error): void } {
  const rows: Row[] = [];
  let failure: Error | undefined;
  return {
    rows,
    failNext: (error) => {
      failure = error;
    },
    append: (added) => {
      const error = failure;
      failure = undefined;
      if (error) return Promise.reject(error);
      rows.push(...added);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

/** Annotated images in memory, by name. */
export function memoryGallery(): Gallery & { readonly images: Map<string, Uint8Array> } {
  const images = new Map<string, Uint8Array>();
  return {
    images,
    save: ({ image }, jpeg) => {
      images.set(image, jpeg);
      return Promise.resolve(image);
    },
  };
}
