import { createHash, randomBytes } from 'node:crypto';

const HEX_DIGITS = 7;

/**
 * The name of a resource whose program gives none: the one it has, or its name in the program, a hyphen and
 * seven hex digits (the same in a preview and the update after it, as `seed` is).
 */
export function autoName(name: string, old: unknown, seed: Uint8Array): string {
  if (typeof old === 'string' && isAutoName(name, old)) return old;
  const digits = seed.length > 0 ? createHash('sha256').update(seed).digest() : randomBytes(8);
  return `${name}-${digits.toString('hex').slice(0, HEX_DIGITS)}`;
}

/** Whether `given` is a name that {@link autoName} makes for the resource `name`. */
export function isAutoName(name: string, given: string): boolean {
  return given.startsWith(`${name}-`) && /^[0-9a-f]{7}$/.test(given.slice(name.length + 1));
}
