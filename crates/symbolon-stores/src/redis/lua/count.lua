-- Counts one event; a window that is over begins anew. The verdict is by the time that is passed in: the server's clock
-- only clears away, an hour late.
local name, window, now = unpack(ARGV)
local key = P .. 'c:' .. name
local f = call('HMGET', key, 'events', 'until')
if f[1] and tonumber(now) < tonumber(f[2]) then
  return { call('HINCRBY', key, 'events', 1), f[2] }
end
local ends = text(tonumber(now) + tonumber(window))
call('HSET', key, 'events', 1, 'until', ends)
call('PEXPIRE', key, text(tonumber(window) + 3600000))
return { 1, ends }
