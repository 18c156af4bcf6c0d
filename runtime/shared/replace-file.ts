import { renameSync, writeFileSync } from 'node:fs';

/**
 * Writes a file at once: who reads it meanwhile sees the old one or the new one, never half of it.
 * @param mode its permissions; by default what the process's umask leaves of 0o666.
 */
export function replaceFile(path: string, contents: string | Uint8Array, mode = 0o666): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents, { mode });
  renameSync(temporary, path);
}

/** Permissions of a file that only its owner reads. */
export const OWNER_ONLY = 0o600;
