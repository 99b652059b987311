-- Keeps a value that is good once; one that is there is never overwritten.
local name, value, expires = unpack(ARGV)
if call('EXISTS', P .. 'o:' .. name) == 1 then
  return { 'taken' }
end
call('HSET', P .. 'o:' .. name, 'value', value, 'expires', expires)
call('ZADD', P .. 'once', expires, name)
return { 'kept' }
