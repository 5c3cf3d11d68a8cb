-- Declares the mirror complete, unless the canary of this seed is gone: then somebody emptied Valkey
-- in the middle of it.
--
-- KEYS  the canary, seeded_at
-- ARGV  now

if redis.call('DEL', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
