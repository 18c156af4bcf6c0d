import { constants } from 'node:fs';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Gallery } from '../ports';

const MAX_NAME_LENGTH = 80;

/**
 * Makes sure that annotated images can be written to a folder; makes the folder if need be.
 * @throws with what to do about it, when not.
 */
export async function ensureWritable(directory: string): Promise<void> {
  const probe = join(directory, `.write-test-${process.pid}`);
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK | constants.X_OK);
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const uid = process.getuid?.() ?? 'unknown';
    throw new Error(
      `OUTPUT_DIR ${directory} cannot be written by user ${uid}: ${why}. ` +
        `Give the folder to that user (chown ${uid}), or set OUTPUT_DIR to one it can write to.`,
      { cause: error },
    );
  }
}

/** Name of the file of an annotated image: job, time and the image's own name, with nothing that a path could mean. */
export function galleryFileName(job: string, analyzedAt: string, number: number, image: string) {
  const time = analyzedAt.replace(/[-:]/g, '').replace('.', '_');
  const last = image.split('/').at(-1) ?? '';
  const name = last.replace(/\.(jpe?g|png)$/i, '').replace(/[^A-Za-z0-9_-]/g, '_');
  return `${job}_${time}_${number}_${name.slice(0, MAX_NAME_LENGTH)}.jpg`;
}

/** A folder of annotated images; no file is written twice in a run. */
export function folderGallery(directory: string): Gallery {
  let number = 0;
  return {
    save: async ({ job, analyzedAt, image }, jpeg) => {
      number += 1;
      const name = galleryFileName(job, analyzedAt, number, image);
      const path = join(directory, name);
      try {
        await writeFile(path, jpeg);
      } catch (error) {
        await rm(path, { force: true }).catch(() => undefined);
        throw error;
      }
      return name;
    },
  };
}
