import { pathKeys } from '../preview-steps';
import type { Inputs } from './types';

/** How the engine marks a secret in its events; the value itself is `[secret]`. */
const SECRET_MARK = '4dabf18193072939515e22adb298388d';

/** The object at a path of keys, or an empty one. */
export function objectAt(root: unknown, ...keys: readonly string[]): Inputs {
  const at = keys.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), root);
  return isObject(at) ? at : {};
}

export function textAt(root: Inputs | undefined, key: string): string | undefined {
  const value = root?.[key];
  return typeof value === 'string' ? value : undefined;
}

/** The list at a key, or an empty one. */
export function listAt(root: Inputs | undefined, key: string): readonly unknown[] {
  const value = root?.[key];
  return Array.isArray(value) ? (value as unknown[]) : [];
}

export const isObject = (value: unknown): value is Inputs =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isSecret = (value: unknown): boolean =>
  value === '[secret]' || (isObject(value) && SECRET_MARK in value);

/** True where the value at a property path, or one that it is part of, is secret. */
export function isSecretAt(root: unknown, path: string): boolean {
  let value = root;
  for (const key of pathKeys(path)) {
    if (isSecret(value)) return true;
    if (typeof value !== 'object' || value === null) return false;
    value = (value as Inputs)[key];
  }
  return isSecret(value);
}
