import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';

/** Resolves when a health endpoint answers 200; its certificate may be one that it made for itself. @throws otherwise */
export function answersWell(url: string): Promise<void> {
  const get = url.startsWith('https:') ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    const request = get(url, { rejectUnauthorized: false, agent: false, timeout: 30_000 });
    request.once('timeout', () => request.destroy(new Error(`${url}: no answer in 30 s`)));
    request.once('error', reject);
    request.once('response', (response) => {
      response.resume();
      response.once('error', reject);
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${url}: HTTP ${response.statusCode}`));
    });
  });
}
