-- Keeps a heartbeat of a mitra that is online, and removes that of any other.
--
-- KEYS   seeded_at, online, deactivated, free, the mitra's heartbeat
-- ARGV   id, now, now in Unix milliseconds, seconds it lives
-- gives  'online', 'offline', 'deactivated', or why it cannot tell: 'not_seeded', 'damaged'

local seeded_at, online, deactivated, free, heartbeat = unpack(KEYS)
local id, now, now_ms, life = unpack(ARGV)

if redis.call('EXISTS', seeded_at) == 0 then return 'not_seeded' end
local is_online = redis.call('SISMEMBER', online, id) == 1
local is_deactivated = redis.call('SISMEMBER', deactivated, id) == 1
if is_online and not is_deactivated then
  redis.call('SET', heartbeat, now, 'EX', life)
  redis.call('ZADD', free, 'XX', now_ms, id)
  return 'online'
end
-- Who is free is online: somebody meddled with the set.
if not is_deactivated and redis.call('ZSCORE', free, id) then return 'damaged' end
redis.call('DEL', heartbeat)
return is_deactivated and 'deactivated' or 'offline'
