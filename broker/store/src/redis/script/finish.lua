-- Takes, marks and puts as one: every look comes before the first write.
-- KEYS: the record, its answer, the mark where there is one, then what is put.
-- ARGV: attempt, tombstone, how long the answer waits at most in milliseconds, the mark's lifetime in milliseconds or nothing, then for each put its
-- value and its lifetime. Answers {V, value}, {S, tombstone}, {A}, {R} for a mark that stands, or {O} where something stands that should be put.
local standing = redis.call('GET', KEYS[1])
if not standing then return {'A'} end
if string.sub(standing, 1, 1) ~= 'V' then
  if string.sub(standing, 18, 33) == ARGV[1] then
    local value = redis.call('GET', KEYS[2])
    if value then return {'V', value} end
  end
  return {'S', string.sub(standing, 34)}
end
local marks = ARGV[4] ~= ''
local first = marks and 4 or 3
if marks and redis.call('EXISTS', KEYS[3]) == 1 then return {'R'} end
local seen = {}
for i = first, #KEYS do
  if seen[KEYS[i]] or redis.call('EXISTS', KEYS[i]) == 1 then return {'O'} end
  seen[KEYS[i]] = true
end
local value = string.sub(standing, 18)
local left = redis.call('PTTL', KEYS[1])
local brief = tonumber(ARGV[3])
if left >= 0 and left < brief then brief = math.max(left, 1) end
redis.call('SET', KEYS[1], 'T' .. string.sub(standing, 2, 17) .. ARGV[1] .. ARGV[2], 'KEEPTTL')
redis.call('SET', KEYS[2], value, 'PX', brief)
if marks then redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[4]) end
for i = first, #KEYS do
  local at = 5 + 2 * (i - first)
  redis.call('SET', KEYS[i], 'V' .. ARGV[1] .. ARGV[at], 'PX', ARGV[at + 1])
end
return {'V', value}
