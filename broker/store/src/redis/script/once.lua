-- Sets a mark once. KEYS: the mark. ARGV: attempt, lifetime in milliseconds. Answers 1 or 0.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0
