-- Begins an epoch, if the head is still the one that it follows.
local now, at, new, change = unpack(ARGV)
if at ~= text(epoch) .. '.' .. text(number) then
  return { 'changed' }
end
local from_epoch, from_number = epoch, number
epoch, number = tonumber(new), 0
call('HSET', HEAD, 'epoch', new, 'number', 0)
call('HDEL', HEAD, 'fresh')
local count = end_scope('restored', from_epoch, from_number, change, now)
return { 'ended', text(epoch) .. '.' .. text(number), text(count) }
