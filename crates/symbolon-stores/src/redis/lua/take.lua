-- Takes a value: of any number at once one gets it fresh.
local name, now = unpack(ARGV)
local f = call('HMGET', P .. 'o:' .. name, 'value', 'expires', 'taken')
if not f[1] or tonumber(now) >= tonumber(f[2]) then
  return { 'unknown' }
end
if f[3] then
  return { 'again', f[1] }
end
call('HSET', P .. 'o:' .. name, 'taken', 1)
return { 'fresh', f[1] }
