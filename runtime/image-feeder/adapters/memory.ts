import type { Album, Publisher } from '../ports';
import type { Photograph } from '../types';

/** An album of given images. */
export function memoryAlbum(photographs: readonly Photograph[]): Album {
  return {
    names: () => Promise.resolve(photographs.map(({ name }) => name).sort()),
    read: (name) => {
      const found = photographs.find((photograph) => photograph.name === name);
      return found ? Promise.resolve(found) : Promise.reject(new Error(`${name}: no such image`));
    },
  };
}

/** A publisher that remembers what it was given. */
export function memoryPublisher(): Publisher & { readonly published: Photograph[] } {
  const published: Photograph[] = [];
  return {
    published,
    publish: (photograph) => {
      published.push(photograph);
      return Promise.resolve();
    },
    connected: () => true,
    close: () => Promise.resolve(),
  };
}
