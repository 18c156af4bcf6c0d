import { createHash } from 'node:crypto';
import type { Danger } from './types';

/** Characters of a key: enough that one does not fit another change by chance. */
const KEY_LENGTH = 8;

/**
 * The key that approves exactly these dangers: the same dangers have the same key, in whatever order they come, and any
 * other danger has another. Empty where there is none.
 */
export function approvalKey(dangers: readonly Danger[]): string {
  if (dangers.length === 0) return '';
  const facts = dangers.map(({ rule, subjects }) => `${rule}\n${[...subjects].sort().join('\n')}`);
  const hash = createHash('sha256').update(facts.sort().join('\n\n'));
  return hash.digest('hex').slice(0, KEY_LENGTH);
}

export type Safety = 'warn' | 'strict';

/** True where an update may go on: it is safe, dangers only warn, or the key is theirs. */
export const isApproved = (dangers: readonly Danger[], safety: Safety, key = ''): boolean =>
  dangers.length === 0 || safety === 'warn' || key === approvalKey(dangers);
