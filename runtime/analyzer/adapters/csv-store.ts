import { stringify } from 'csv-stringify/sync';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { ROW_COLUMNS } from '../policy/rows';
import type { RowStore } from '../ports';
import type { Row } from '../types';

const HEADER = `${ROW_COLUMNS.join(',')}\n`;
const NEWLINE = '\n'.charCodeAt(0);

/** The CSV lines of rows, without a header. */
export const csvLines = (rows: readonly Row[]): string =>
  stringify([...rows], { columns: [...ROW_COLUMNS] });

async function bytesAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/**
 * Rows appended to a CSV file (RFC 4180 with LF), which gets its header when it is new. Each call writes through to
 * the disk and undoes itself when it fails. A file with other columns is kept aside as `<path>.<time>.old`; a last
 * line that a crash cut off is ended.
 */
export function csvStore(path: string, nowMs: () => number): RowStore {
  let queue: Promise<unknown> = Promise.resolve();

  const openChecked = async (): Promise<FileHandle> => {
    const handle = await open(path, 'a+');
    const { size } = await handle.stat();
    if (size === 0 || (await bytesAt(handle, 0, HEADER.length)).equals(Buffer.from(HEADER)))
      return handle;
    await handle.close();
    await rename(path, `${path}.${nowMs()}.old`);
    return open(path, 'a+');
  };
  const append = async (rows: readonly Row[]): Promise<void> => {
    const handle = await openChecked();
    try {
      const { size } = await handle.stat();
      const cutOff = size > 0 && (await bytesAt(handle, size - 1, 1))[0] !== NEWLINE;
      const start = size === 0 ? HEADER : cutOff ? '\n' : '';
      try {
        await handle.appendFile(start + csvLines(rows));
        await handle.datasync();
      } catch (error) {
        await handle.truncate(size).catch(() => undefined);
        throw error;
      }
    } finally {
      await handle.close();
    }
  };
  return {
    append: (rows) => {
      const done = queue.then(() => append(rows));
      queue = done.catch(() => undefined);
      return done;
    },
    close: async () => {
      await queue;
    },
  };
}
