-- Shows the states of mitras, each unless a newer version of it is shown already.
--
-- KEYS   online, deactivated, max_sessions, version, snapshot, then per mitra: capacity, heartbeat
-- ARGV   precedence, now, seconds a heartbeat lives, then per mitra:
--        id, version, is_online, is_deactivated, max_sessions, in_use, last heartbeat or ''
-- gives  {differing, flipped, {{id, newer version}, ...}}

local online, deactivated, limits, versions, snapshot = unpack(KEYS, 1, 5)
local precedence, now, life = unpack(ARGV, 1, 3)
local differing, flipped, ahead = 0, 0, {}

-- A string; a key of another type is as good as lost, and SET replaces it.
local function text(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value or nil
end

-- Sees to it that an id is in a set or is not; whether that changed anything.
local function put(set, id, belongs)
  return redis.call(belongs and 'SADD' or 'SREM', set, id) == 1
end

local function has_room(in_use, max)
  return (tonumber(in_use) or 0) < (tonumber(max) or 0)
end

local function keep_heartbeat(mitra)
  local last = text(mitra.heartbeat)
  if not last or not last:find('^%d%d%d%d%-%d%d%-%d%dT') then
    redis.call('SET', mitra.heartbeat, now, 'EX', life)
  elseif mitra.heard ~= '' and last < mitra.heard then
    redis.call('SET', mitra.heartbeat, mitra.heard, 'EX', life)
  end
end

local function show(mitra)
  local old_max, old_in_use = redis.call('HGET', limits, mitra.id) or nil, text(mitra.capacity)
  local online_changed = put(online, mitra.id, mitra.is_online)
  local deactivated_changed = put(deactivated, mitra.id, mitra.is_deactivated)
  redis.call('HSET', limits, mitra.id, mitra.max)
  redis.call('HSET', versions, mitra.id, mitra.version)
  redis.call('SET', mitra.capacity, mitra.in_use)

  local works = mitra.is_online and not mitra.is_deactivated
  if works then keep_heartbeat(mitra) else redis.call('DEL', mitra.heartbeat) end

  local was_online = mitra.is_online ~= online_changed
  local was_deactivated = mitra.is_deactivated ~= deactivated_changed
  local was_open = was_online and not was_deactivated and has_room(old_in_use, old_max)
  if was_open ~= (works and has_room(mitra.in_use, mitra.max)) then flipped = 1 end
  if online_changed or deactivated_changed or old_max ~= mitra.max or old_in_use ~= mitra.in_use then
    differing = differing + 1
  end
end

local key = 6
for arg = 4, #ARGV, 7 do
  local id, version = ARGV[arg], ARGV[arg + 1]
  local shown = tonumber(redis.call('HGET', versions, id) or 0) or 0
  if precedence == 'newest' and shown > tonumber(version) then
    ahead[#ahead + 1] = {id, shown}
  else
    show({
      id = id,
      version = version,
      is_online = ARGV[arg + 2] == '1',
      is_deactivated = ARGV[arg + 3] == '1',
      max = ARGV[arg + 4],
      in_use = ARGV[arg + 5],
      heard = ARGV[arg + 6],
      capacity = KEYS[key],
      heartbeat = KEYS[key + 1],
    })
  end
  key = key + 2
end

if flipped == 1 then redis.call('DEL', snapshot) end
return {differing, flipped, ahead}
