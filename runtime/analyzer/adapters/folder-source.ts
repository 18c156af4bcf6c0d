import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageSource } from '../ports';
import type { IncomingImage } from '../types';

const IMAGE = /\.(jpe?g|png|gif|bmp|webp|tiff?)$/i;

/** The images of a folder (not of folders in it), each once, in the order of their names. */
export function folderSource(directory: string, maxBytes: number): ImageSource {
  let closed = false;
  let finish: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let readers: Promise<unknown> = Promise.resolve();

  const read = async (name: string): Promise<IncomingImage> => {
    const path = join(directory, name);
    try {
      const { size } = await stat(path);
      if (size > maxBytes)
        return {
          name,
          content: { unreadable: `too large: ${size} bytes, allowed are ${maxBytes}` },
        };
      return { name, content: await readFile(path) };
    } catch (error) {
      return { name, content: { unreadable: error instanceof Error ? error.message : 'unknown' } };
    }
  };
  return {
    ended,
    reachable: () => true,
    open: async (consumers, take) => {
      const names = (await readdir(directory)).filter((name) => IMAGE.test(name)).sort();
      const work = async (): Promise<void> => {
        for (let name = names.shift(); name !== undefined && !closed; name = names.shift())
          if (!(await take(await read(name)))) return;
      };
      readers = Promise.all(Array.from({ length: consumers }, work)).then(finish);
    },
    close: async () => {
      closed = true;
      await readers;
    },
  };
}
