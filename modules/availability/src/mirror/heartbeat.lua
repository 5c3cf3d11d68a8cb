-- Keeps a heartbeat of a mitra that is online, and removes that of any other.
--
-- KEYS  seeded_at, online, deactivated, the mitra's heartbeat
-- ARGV  id, now, seconds it lives

if redis.call('EXISTS', KEYS[1]) == 0 then return 'not_seeded' end
local is_deactivated = redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 1
local is_online = redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1
if is_online and not is_deactivated then
  redis.call('SET', KEYS[4], ARGV[2], 'EX', ARGV[3])
  return 'online'
end
redis.call('DEL', KEYS[4])
return is_deactivated and 'deactivated' or 'offline'
