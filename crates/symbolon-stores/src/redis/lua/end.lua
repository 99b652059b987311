-- Appends a cut-off and ends what it covers. With a person: only a login of theirs that has not ended.
local now, kind, a, b, change, whose = unpack(ARGV, 1, 6)
if whose ~= '' then
  local login = read_login(a)
  if not login or login.user ~= whose or login.end_seq then
    -- Written all the same, so that who hears of it waits for the end that another wrote.
    call('HSET', HEAD, 'seq', text(seq))
    return { 'none' }
  end
end
local count = end_scope(kind, a, b, change, now)
return { 'ended', text(epoch) .. '.' .. text(number), text(count) }
