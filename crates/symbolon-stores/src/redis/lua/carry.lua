-- Takes over one entry of another store's log, once and in order: the cursor moves with it.
local now, from, to, old, kind, a, b, change = unpack(ARGV)
local cursor = call('HGET', HEAD, 'carried') or '1.0'
if cursor ~= from then
  return { 'changed', cursor }
end
local count = 0
if kind == '' then
  append(change, now)
else
  count = end_scope(kind, a, b, change, now)
end
local place = text(epoch) .. '.' .. text(number)
call('HSET', HEAD, 'carried', to)
call('HSET', P .. 'carried', to, place .. ':' .. text(count))
call('HDEL', P .. 'carried', old)
return { 'ended', place, text(count) }
