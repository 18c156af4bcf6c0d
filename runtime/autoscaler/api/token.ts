import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Takes the token where Authorization is somebody else's: the API server's proxy to services takes that for its own. */
export const TOKEN_HEADER = 'x-api-token';

/** Whether an Authorization header carries the token; takes the same time for every wrong one. */
export function carriesToken(header: string | undefined, token: string): boolean {
  const [scheme = '', given = '', ...rest] = (header ?? '').split(' ');
  const same = timingSafeEqual(digest(given), digest(token));
  return same && token !== '' && scheme.toLowerCase() === 'bearer' && rest.length === 0;
}
