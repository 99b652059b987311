-- Opens a login with its first grant, if the person's last end was known when it was decided, if the ids are free, and if there is room.
local now, user, sid, detail, expires, id, client, digest = unpack(ARGV, 1, 8)
local since_epoch, since_number, most, name = unpack(ARGV, 9, 12)

if since_epoch ~= '' then
  local cut = call('ZREVRANGE', P .. 'cut:u:' .. user, 0, 0)[1]
  if cut then
    local at_epoch, at_number = string.match(cut, ':(%d+):(%d+)$')
    at_epoch, at_number = tonumber(at_epoch), tonumber(at_number)
    since_epoch, since_number = tonumber(since_epoch), tonumber(since_number)
    if at_epoch > since_epoch or (at_epoch == since_epoch and at_number > since_number) then
      return { 'gone' }
    end
  end
end
if call('EXISTS', P .. 'l:' .. sid) == 1 then
  return { 'taken', 'sid' }
end
if call('EXISTS', P .. 'g:' .. id) == 1 then
  return { 'taken', 'grant id' }
end
local function may_be_full()
  return call('ZCOUNT', P .. 'u:' .. user, text(floor_of(user)), '+inf') >= tonumber(most)
end
if most ~= '' and (name ~= '' or may_be_full()) then
  local found, its_name = living(user, '', now)
  -- What was decided on another set of logins is decided anew.
  if name ~= its_name and (name ~= '' or #found >= tonumber(most)) then
    return { 'room', its_name, found }
  end
end
end_all(13, now)
local login = { sid = sid, user = user }
call('HSET', P .. 'l:' .. sid, 'user', user, 'born', text(seq), 'detail', detail, 'expires', expires)
call('ZADD', P .. 'u:' .. user, seq, sid)
call('ZADD', P .. 'born', seq, sid)
call('ZADD', P .. 'expires', expires, sid)
call('HINCRBY', P .. 'living', 'l', 1)
return { 'opened', add_grant(id, login, client, digest, now) }
