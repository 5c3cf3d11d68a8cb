-- Shows the states of mitras, each unless a newer version of it is shown already.
--
-- KEYS   online, deactivated, free, max_sessions, version, snapshot, then per mitra: capacity,
--        heartbeat
-- ARGV   precedence, now, seconds a heartbeat lives, then per mitra:
--        id, version, is_online, is_deactivated, max_sessions, in_use, last heartbeat or ''
-- gives  {differing, flipped, {{id, newer version}, ...}}

local online, deactivated, free, limits, versions, snapshot = unpack(KEYS, 1, 6)
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

-- Days since 1970 by the civil calendar, whose years begin in March here: then February is last.
local function days(year, month, day)
  if month <= 2 then year = year - 1 end
  local leap_days = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  local day_of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return 365 * year + leap_days + day_of_year - 719468
end

-- Unix milliseconds of an instant in RFC 3339; nil for anything else.
local function unix_ms(instant)
  local pattern = '^(%d%d%d%d)-(%d%d)-(%d%d)[Tt](%d%d):(%d%d):(%d%d)(%.?%d*)(.*)$'
  local year, month, day, hour, minute, second, fraction, zone = instant:match(pattern)
  if not year then return nil end
  local sign, ahead_hours, ahead_minutes = zone:match('^([+-])(%d%d):(%d%d)$')
  if not sign and zone ~= 'Z' and zone ~= 'z' then return nil end
  local seconds = ((days(tonumber(year), tonumber(month), tonumber(day)) * 24 + hour) * 60 + minute) * 60
    + second
  if sign then seconds = seconds - tonumber(sign .. '1') * (ahead_hours * 60 + ahead_minutes) * 60 end
  return math.floor((seconds + (tonumber('0' .. fraction) or 0)) * 1000 + 0.5)
end

-- The last heartbeat of a mitra that works, in Unix milliseconds: the newer one of what is shown and
-- what Postgres has heard. One that is missing was lost, not missed, and counts from now.
local function heard(mitra)
  local shown = text(mitra.heartbeat)
  local last = shown and unix_ms(shown)
  local newer = not last and now or mitra.heard
  if newer == '' or (last and unix_ms(newer) <= last) then return last end
  redis.call('SET', mitra.heartbeat, newer, 'EX', life)
  return unix_ms(newer)
end

-- Sees to it that a mitra is among the free, at its last heartbeat, or is not; whether that changed.
local function put_free(mitra)
  local works = mitra.is_online and not mitra.is_deactivated
  if not works then redis.call('DEL', mitra.heartbeat) end
  local last = works and heard(mitra)
  if works and tonumber(mitra.in_use) < tonumber(mitra.max) then
    return redis.call('ZADD', free, last, mitra.id) == 1
  end
  return redis.call('ZREM', free, mitra.id) == 1
end

local function show(mitra)
  local old_max, old_in_use = redis.call('HGET', limits, mitra.id) or nil, text(mitra.capacity)
  local online_changed = put(online, mitra.id, mitra.is_online)
  local deactivated_changed = put(deactivated, mitra.id, mitra.is_deactivated)
  redis.call('HSET', limits, mitra.id, mitra.max)
  redis.call('HSET', versions, mitra.id, mitra.version)
  redis.call('SET', mitra.capacity, mitra.in_use)
  local free_changed = put_free(mitra)

  if free_changed then flipped = 1 end
  if online_changed or deactivated_changed or free_changed
    or old_max ~= mitra.max or old_in_use ~= mitra.in_use then
    differing = differing + 1
  end
end

local key = 7
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
