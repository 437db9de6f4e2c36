-- Takes a value and leaves a tombstone for what is left of its time.
-- KEYS: the record, its answer. ARGV: attempt, tombstone, how long the answer waits at most in milliseconds.
-- Answers {V, value}, {S, tombstone} or {A}.
local standing = redis.call('GET', KEYS[1])
if not standing then return {'A'} end
if string.sub(standing, 1, 1) ~= 'V' then
  if string.sub(standing, 18, 33) == ARGV[1] then
    local value = redis.call('GET', KEYS[2])
    if value then return {'V', value} end
  end
  return {'S', string.sub(standing, 34)}
end
local value = string.sub(standing, 18)
local left = redis.call('PTTL', KEYS[1])
local brief = tonumber(ARGV[3])
if left >= 0 and left < brief then brief = math.max(left, 1) end
redis.call('SET', KEYS[1], 'T' .. string.sub(standing, 2, 17) .. ARGV[1] .. ARGV[2], 'KEEPTTL')
redis.call('SET', KEYS[2], value, 'PX', brief)
return {'V', value}
