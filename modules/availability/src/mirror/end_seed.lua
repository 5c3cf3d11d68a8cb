-- Declares the mirror complete, unless the canary of this seed is gone: then somebody emptied Valkey
-- in the middle of it. The mark among the free goes when somebody deletes that key alone.
--
-- KEYS  the canary, seeded_at, free
-- ARGV  now, the mark

if redis.call('DEL', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], 0, ARGV[2])
return 1
