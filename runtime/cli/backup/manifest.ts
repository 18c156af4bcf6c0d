import { z } from 'zod';

/** What a backup can hold of a stack, each of which can be taken and put back alone. */
export const PARTS = ['redis', 'mongodb', 'datastore'] as const;
export type Part = (typeof PARTS)[number];

/** The file of a backup that says what else is in it. It is written last: a folder without it is no backup. */
export const MANIFEST = 'backup.json';

/** Relative, below the folder. */
const filePath = z
  .string()
  .regex(/^[^/\\\0]+(\/[^/\\\0]+)*$/, 'must be a relative path')
  .refine((path) => !path.split('/').some((name) => /^\.+$/.test(name)), 'must stay in the folder');

const file = z.strictObject({
  path: filePath,
  part: z.enum(PARTS),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
});

const manifest = z.strictObject({
  format: z.literal('berth-backup/1'),
  stack: z.string().min(1),
  /** When it was begun, in UTC. */
  takenAt: z.iso.datetime(),
  parts: z.array(z.enum(PARTS)).min(1),
  files: z.array(file),
});

export type BackupFile = z.infer<typeof file>;
export type Manifest = z.infer<typeof manifest>;

/** @throws Error naming every field that is wrong. */
export function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('is not JSON');
  }
  const { data, error } = manifest.safeParse(value);
  if (data !== undefined) return data;
  throw new Error(
    error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; '),
  );
}
