-- Adds a grant to a login that stands, if the id is free and the app has room for one more login of the person.
local now, sid, id, client, digest, most, name = unpack(ARGV, 1, 7)

local login = read_login(sid)
if not login then
  return { 'unknown' }
end
if not stands(login, now) then
  return { 'ended' }
end
if call('EXISTS', P .. 'g:' .. id) == 1 then
  return { 'taken', 'grant id' }
end
if most ~= '' then
  local found, its_name = living(login.user, sid, now)
  -- What was decided on another set of logins is decided anew.
  if name ~= its_name and (name ~= '' or #found >= tonumber(most)) then
    return { 'room', its_name, found }
  end
end
end_all(8, now)
return { 'granted', add_grant(id, login, client, digest, now), show_login(login) }
