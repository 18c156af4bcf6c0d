import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Album } from '../ports';

const IMAGE = /\.(jpe?g|png)$/i;

/** The JPEG and PNG files of a folder. */
export function folderAlbum(directory: string, maxBytes: number): Album {
  return {
    names: async () =>
      (await readdir(directory))
        .filter((name) => IMAGE.test(name))
        .sort((a, b) => (a < b ? -1 : 1)),
    read: async (name) => {
      const path = join(directory, name);
      const { size } = await stat(path);
      if (size > maxBytes) throw new RangeError(`${name}: ${size} bytes are more than ${maxBytes}`);
      return { name, bytes: await readFile(path) };
    },
  };
}
