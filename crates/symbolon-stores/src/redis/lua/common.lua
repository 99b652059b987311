-- What every script shares. KEYS[1] is the cell's head; every other key begins with the cell's prefix and so
-- lies in the same slot.
--
-- `seq` counts the entries of the log through all epochs: a login or grant is born at the present one, and a cut-off
-- kills what was born before its own. That is the rule of death (rev < position) in one number.
local call = redis.call
local HEAD = KEYS[1]
local P = string.sub(HEAD, 1, -5)

local head = call('HMGET', HEAD, 'epoch', 'number', 'seq')
if not head[1] then
  return redis.error_reply('LOSTCELL the head of the cell is gone')
end
local epoch, number, seq = tonumber(head[1]), tonumber(head[2]), tonumber(head[3])

local function text(n)
  return string.format('%.0f', n)
end

local function split(mark)
  local at_seq, at = string.match(mark, '^([^:]*):([^:]*)')
  return tonumber(at_seq), at
end

-- The first cut-off kept in `key` that kills what was born at `born`.
local function first_cut(key, born)
  local found = call('ZRANGEBYSCORE', key, '(' .. text(born), '+inf', 'LIMIT', 0, 1)
  if found[1] then
    return split(found[1])
  end
end

local function read_login(sid)
  local f = call('HMGET', P .. 'l:' .. sid, 'user', 'born', 'detail', 'expires', 'ended')
  if not f[1] then
    return nil
  end
  local login = { sid = sid, user = f[1], born = tonumber(f[2]), detail = f[3], expires = f[4] }
  if f[5] then
    login.end_seq, login.end_at = split(f[5])
  else
    local all, all_at = first_cut(P .. 'cut', login.born)
    local own, own_at = first_cut(P .. 'cut:u:' .. login.user, login.born)
    if own and (not all or own < all) then
      all, all_at = own, own_at
    end
    login.end_seq, login.end_at = all, all_at
  end
  return login
end

-- A grant that its login outlived: what ends a login ends no grant besides.
local function read_grant(id, login)
  local f = call('HMGET', P .. 'g:' .. id, 'sid', 'client', 'born', 'rev', 'opened', 'used', 'generation', 'digest',
    'moved', 'ended')
  if not f[1] then
    return nil
  end
  local grant = {
    id = id, sid = f[1], client = f[2], born = tonumber(f[3]), rev = f[4], opened = f[5], used = f[6],
    generation = f[7], digest = f[8], moved = f[9], login = login or read_login(f[1]),
  }
  if f[10] then
    grant.end_seq, grant.end_at = split(f[10])
  else
    local app, app_at = first_cut(P .. 'cut:a:' .. grant.client, grant.born)
    local over = grant.login.end_seq
    if app and (not over or app < over) then
      grant.end_seq, grant.end_at = app, app_at
    end
  end
  return grant
end

local function stands(login, now)
  return not login.end_seq and tonumber(now) < tonumber(login.expires)
end

local function show_login(l)
  return { l.sid, l.user, l.detail, l.expires, l.end_at or '' }
end

local function show_grant(g)
  return { g.id, g.sid, g.client, g.rev, g.opened, g.used, g.generation, g.digest, g.moved, g.end_at or '' }
end

-- The login's grants that were not ended, in order of their ids.
local function grants_of(login)
  local ids = call('SMEMBERS', P .. 'lg:' .. login.sid)
  table.sort(ids)
  local found = {}
  for _, id in ipairs(ids) do
    local grant = read_grant(id, login)
    if grant and not grant.end_seq then
      found[#found + 1] = grant
    end
  end
  return found
end

local function with_grants(login)
  local shown = { show_login(login) }
  for _, grant in ipairs(grants_of(login)) do
    shown[#shown + 1] = show_grant(grant)
  end
  return shown
end

local function last_cut(key)
  return tonumber(call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2] or 0)
end

-- What was born before it, of this person, is dead.
local function floor_of(user)
  return math.max(last_cut(P .. 'cut'), last_cut(P .. 'cut:u:' .. user))
end

-- The person's living logins but one, and a name of that very set: another set has another name.
local function living(user, but, now)
  local shown, names = {}, {}
  for _, sid in ipairs(call('ZRANGEBYSCORE', P .. 'u:' .. user, text(floor_of(user)), '+inf')) do
    local login = sid ~= but and read_login(sid)
    if login and stands(login, now) then
      local found = with_grants(login)
      names[#names + 1] = sid
      for n = 2, #found do
        names[#names + 1] = found[n][1]
      end
      shown[#shown + 1] = found
    end
  end
  return shown, redis.sha1hex(table.concat(names))
end
