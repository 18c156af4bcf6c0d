import type { Redis } from 'ioredis';
import { z } from 'zod';

/** All keys in one step, so that what they say of one another holds: name, value as Redis serializes it, ms to live. */
const DUMP = `
local time = redis.call('TIME')
local found = { string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)) }
for _, key in ipairs(redis.call('KEYS', '*')) do
  table.insert(found, key)
  table.insert(found, redis.call('DUMP', key))
  table.insert(found, string.format('%.0f', redis.call('PTTL', key)))
end
return found`;

const entry = z.strictObject({
  key: z.base64(),
  /** What DUMP says: with a checksum of its own, and the version of its form. */
  value: z.base64(),
  /** When it goes, ms since 1970; a key without stays. */
  expiresAtMs: z.int().optional(),
});
type Entry = z.infer<typeof entry>;

/** Every key of a Redis database at one moment, a line of JSON each, sorted by name. */
export async function dumpRedis(redis: Redis): Promise<string> {
  const found = (await redis.callBuffer('EVAL', DUMP, '0')) as Buffer[];
  const [nowText = Buffer.of()] = found;
  const nowMs = Number(nowText.toString());
  const lines: string[] = [];
  for (let at = 1; at + 2 < found.length; at += 3) {
    const [key, value, left] = found.slice(at, at + 3) as [Buffer, Buffer, Buffer];
    const leftMs = Number(left.toString());
    const one: Entry = {
      key: key.toString('base64'),
      value: value.toString('base64'),
      ...(leftMs >= 0 ? { expiresAtMs: nowMs + leftMs } : {}),
    };
    lines.push(`${JSON.stringify(one)}\n`);
  }
  return lines.sort().join('');
}

/**
 * Makes a Redis database what a dump says, in one step: what is there goes. Keys that have expired since stay away.
 * @throws Error where Redis refuses the dump, as an older release does; then nothing has changed.
 */
export async function restoreRedis(redis: Redis, dump: string): Promise<number> {
  const entries = dump
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => entry.parse(JSON.parse(line)));
  // A step of several commands goes on after one that fails, so each value is tried first beside the others.
  const trial = Buffer.from(`berth:restore:${process.pid}`);
  for (const { value } of entries) {
    await redis.restore(trial, 1000, Buffer.from(value, 'base64'), 'REPLACE');
    await redis.del(trial);
  }
  const step = redis.multi().flushdb();
  for (const { key, value, expiresAtMs } of entries) {
    const [name, content] = [Buffer.from(key, 'base64'), Buffer.from(value, 'base64')];
    if (expiresAtMs === undefined) step.restore(name, 0, content);
    else step.restore(name, expiresAtMs, content, 'ABSTTL');
  }
  const answers = await step.exec();
  const failed = answers?.find(([error]) => error !== null)?.[0];
  if (answers === null || failed) throw failed ?? new Error('Redis did not take the dump');
  return entries.length;
}
