import { access, writeFile } from 'node:fs/promises';
import type { Summary } from '../types';

/**
 * Writes what a job has to say at its end to the file that becomes its container's termination message. The file
 * is the kubelet's: where it is not there already, nothing is written, except when `create` says so.
 */
export async function writeTerminationLog(
  path: string,
  create: boolean,
  summary: Summary,
  error?: string,
): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists || create)
    await writeFile(
      path,
      JSON.stringify({ ...summary, ...(error === undefined ? {} : { error }) }),
    );
}
