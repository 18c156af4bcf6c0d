/** Changes that must happen as one; each is run by Redis without anything in between. */

/** KEYS: counter. ARGV: the least it may be. */
export const RAISE = `
local now = tonumber(redis.call('GET', KEYS[1]) or '0')
if now < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1`;

/** KEYS: scaled. ARGV: direction, time. Times only grow. */
export const NOTE_SCALED = `
local before = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if before < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1`;

/**
 * KEYS: events, recent, unsent. ARGV: id, event, how many recent ones are kept. An event that is known is not added
 * again. One that falls off the recent ones stays as long as the history has not got it.
 */
export const ADD_EVENT = `
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[1])
redis.call('RPUSH', KEYS[3], ARGV[1])
while redis.call('LLEN', KEYS[2]) > tonumber(ARGV[3]) do
  local old = redis.call('RPOP', KEYS[2])
  if not redis.call('LPOS', KEYS[3], old) then redis.call('HDEL', KEYS[1], old) end
end
return 1`;

/** KEYS: events, recent, unsent. ARGV: ids that the history has got. */
export const EVENTS_SENT = `
for _, id in ipairs(ARGV) do
  redis.call('LREM', KEYS[3], 0, id)
  if not redis.call('LPOS', KEYS[2], id) then redis.call('HDEL', KEYS[1], id) end
end
return 1`;
