-- Founds the cell, if it is not there. Gives whether it is fresh: founded, and not yet taken into use.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'epoch', 1, 'number', 0, 'seq', 0, 'fresh', 1)
end
return redis.call('HEXISTS', KEYS[1], 'fresh')
