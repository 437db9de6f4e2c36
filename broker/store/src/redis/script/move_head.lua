-- Moves a head if it stands where the caller thinks. KEYS: the head. ARGV: 1 where one is expected, it, where to. Answers {M}, {C} or {C, standing}.
local standing = redis.call('GET', KEYS[1])
if standing then
  if ARGV[1] ~= '1' or standing ~= ARGV[2] then return {'C', standing} end
elseif ARGV[1] == '1' then
  return {'C'}
end
redis.call('SET', KEYS[1], ARGV[3])
return {'M'}
