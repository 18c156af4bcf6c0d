import { createHash } from 'node:crypto';
import type { LiveState } from '../ports';
import { Refusal } from './control';

/**
 * Runs something once for each key: a second request with the key and the same content gets the first one's answer;
 * one with another content, or while the first is under way, is refused. What was refused or failed before anything
 * was done can be tried again with the same key. @throws Refusal
 */
export async function once(
  live: Pick<LiveState, 'takeKey' | 'answerKey' | 'releaseKey'>,
  key: string,
  content: unknown,
  run: () => Promise<unknown>,
): Promise<{ readonly answer: unknown; readonly repeated: boolean }> {
  const fingerprint = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  const before = await live.takeKey(key, fingerprint);
  if (before !== undefined) {
    if (before.fingerprint !== fingerprint)
      throw new Refusal('the key was used for another request within the last day');
    if (before.answer === undefined)
      throw new Refusal('the first request with this key is under way, or its answer was lost');
    return { answer: before.answer, repeated: true };
  }
  let answer: unknown;
  try {
    answer = await run();
  } catch (error) {
    if (error instanceof Refusal) await live.releaseKey(key);
    throw error;
  }
  await live.answerKey(key, { fingerprint, answer });
  return { answer, repeated: false };
}
