-- Marks what cut-offs of many have ended, then removes what nothing can need again; a bite at a time. Gives the number removed, and whether there was work.
local before, left = ARGV[1], tonumber(ARGV[2])
local BITE = 256
local asked, marked = left, 0

local function mark_login(sid)
  local login = read_login(sid)
  if login and login.end_seq then
    for _, grant in ipairs(grants_of(login)) do
      call('ZREM', P .. 'a:' .. grant.client, grant.id)
    end
    call('HSET', P .. 'l:' .. sid, 'ended', text(login.end_seq) .. ':' .. login.end_at)
    call('ZADD', P .. 'over', login.end_at, 'l' .. sid)
    forget_login(login)
  end
end

local function mark_grant(id)
  local grant = read_grant(id)
  if grant and grant.end_seq then
    call('HSET', P .. 'g:' .. id, 'ended', text(grant.end_seq) .. ':' .. grant.end_at)
    call('ZADD', P .. 'over', grant.end_at, 'g' .. id)
  end
end

local job = call('LINDEX', P .. 'jobs', 0)
while job and marked < BITE do
  local at, kind, whose = string.match(job, '^(%d+):(%a):(.*)$')
  local rows = ({ e = 'born', u = 'u:' .. whose, a = 'a:' .. whose })[kind]
  local cuts = ({ e = 'cut', u = 'cut:u:' .. whose, a = 'cut:a:' .. whose })[kind]
  local found = call('ZRANGEBYSCORE', P .. rows, '-inf', '(' .. at, 'LIMIT', 0, BITE)
  for _, row in ipairs(found) do
    if kind == 'a' then
      mark_grant(row)
    else
      mark_login(row)
    end
    call('ZREM', P .. rows, row)
  end
  marked = marked + #found + 1
  if #found < BITE then
    -- All that it killed is marked: only the latest is asked for any more.
    call('ZREMRANGEBYSCORE', P .. cuts, '-inf', '(' .. at)
    call('LPOP', P .. 'jobs')
    job = call('LINDEX', P .. 'jobs', 0)
  end
end

local function remove_grant(id)
  local grant = read_grant(id)
  if not grant then
    return
  end
  if not grant.end_seq and not grant.login.end_seq then
    tally(grant.login.user, grant.client, -1)
  end
  call('ZREM', P .. 'a:' .. grant.client, id)
  call('ZREM', P .. 'over', 'g' .. id)
  call('SREM', P .. 'lg:' .. grant.sid, id)
  call('DEL', P .. 'g:' .. id)
  left = left - 1
end

-- A login leaves after its grants, so that no grant is ever without its login.
local function remove_login(sid)
  for _, id in ipairs(call('SMEMBERS', P .. 'lg:' .. sid)) do
    if left == 0 then
      return
    end
    remove_grant(id)
  end
  if left == 0 then
    return
  end
  local login = read_login(sid)
  if not login.end_seq then
    call('HINCRBY', P .. 'living', 'l', -1)
  end
  forget_login(login)
  call('ZREM', P .. 'over', 'l' .. sid)
  call('ZREM', P .. 'expires', sid)
  call('DEL', P .. 'l:' .. sid)
  left = left - 1
end

for _, row in ipairs(call('ZRANGEBYSCORE', P .. 'over', '-inf', '(' .. before, 'LIMIT', 0, left)) do
  if left > 0 and string.sub(row, 1, 1) == 'g' then
    remove_grant(string.sub(row, 2))
  elseif left > 0 then
    remove_login(string.sub(row, 2))
  end
end
for _, sid in ipairs(call('ZRANGEBYSCORE', P .. 'expires', '-inf', '(' .. before, 'LIMIT', 0, left)) do
  if left > 0 then
    remove_login(sid)
  end
end

-- From the front only: a wall clock that was set back must not tear a gap. The newest entry stays: it is the head.
if left > 0 then
  for _, entry in ipairs(call('XRANGE', P .. 'log', '-', '+', 'COUNT', left)) do
    if tonumber(entry[2][2]) >= tonumber(before) or entry[1] == text(epoch) .. '-' .. text(number) then
      break
    end
    call('XDEL', P .. 'log', entry[1])
    left = left - 1
  end
end
for _, name in ipairs(call('ZRANGEBYSCORE', P .. 'once', '-inf', '(' .. before, 'LIMIT', 0, left)) do
  call('DEL', P .. 'o:' .. name)
  call('ZREM', P .. 'once', name)
  left = left - 1
end
return { asked - left, marked }
