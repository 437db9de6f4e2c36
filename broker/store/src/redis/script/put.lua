-- Puts values where nothing stands, all or none.
-- KEYS: the records. ARGV: attempt, then for each key its value and its lifetime in milliseconds. Answers 1 or 0.
local again, seen = 0, {}
for i, key in ipairs(KEYS) do
  if seen[key] then return 0 end
  seen[key] = true
  local frame = redis.call('GETRANGE', key, 0, 16)
  if frame ~= '' then
    if string.sub(frame, 2, 17) ~= ARGV[1] then return 0 end
    again = again + 1
  end
end
if again > 0 then return again == #KEYS and 1 or 0 end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, 'V' .. ARGV[1] .. ARGV[2 * i], 'PX', ARGV[2 * i + 1])
end
return 1
