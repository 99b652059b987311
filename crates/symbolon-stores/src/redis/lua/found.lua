-- Founds the cell, if it is not there: whether it was founded now.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[1], 'epoch', 1, 'number', 0, 'seq', 0)
return 1
