-- What every script that writes shares: births, ends, and the counts that make an end of many a short script.
--
-- `living` counts the logins (`l`) and the grants of each app (`a:APP`) that have not ended; `t:USER` counts the person's
-- grants of each app, each count stamped with the `seq` at which it was true: a cut-off after it makes it nought.

local function append(change, now)
  number, seq = number + 1, seq + 1
  call('HSET', HEAD, 'number', text(number), 'seq', text(seq))
  call('XADD', P .. 'log', text(epoch) .. '-' .. text(number), 'at', now, 'change', change)
end

local function tally(user, app, by)
  local key = P .. 't:' .. user
  local stamp, count = string.match(call('HGET', key, app) or '0:0', '^(%d+):(%d+)$')
  count = tonumber(count)
  if tonumber(stamp) < math.max(floor_of(user), last_cut(P .. 'cut:a:' .. app)) then
    count = 0
  end
  count = count + by
  if count > 0 then
    call('HSET', key, app, text(seq) .. ':' .. text(count))
  else
    call('HDEL', key, app)
  end
  call('HINCRBY', P .. 'living', 'a:' .. app, by)
end

local function end_grant(grant, now)
  call('HSET', P .. 'g:' .. grant.id, 'ended', text(seq) .. ':' .. now)
  call('ZADD', P .. 'over', now, 'g' .. grant.id)
  call('ZREM', P .. 'a:' .. grant.client, grant.id)
  tally(grant.login.user, grant.client, -1)
end

local function forget_login(login)
  call('ZREM', P .. 'u:' .. login.user, login.sid)
  call('ZREM', P .. 'born', login.sid)
end

local function end_login(login, now)
  for _, grant in ipairs(grants_of(login)) do
    call('ZREM', P .. 'a:' .. grant.client, grant.id)
    tally(login.user, grant.client, -1)
  end
  call('HSET', P .. 'l:' .. login.sid, 'ended', text(seq) .. ':' .. now)
  call('ZADD', P .. 'over', now, 'l' .. login.sid)
  call('HINCRBY', P .. 'living', 'l', -1)
  forget_login(login)
end

local function keep_cut(key, now)
  call('ZADD', P .. key, seq, text(seq) .. ':' .. now .. ':' .. text(epoch) .. ':' .. text(number))
end

-- Marks are written later, by the sweep: until then the cut-off itself says what is over.
local function mark_later(kind, whose)
  call('RPUSH', P .. 'jobs', text(seq) .. ':' .. kind .. ':' .. whose)
end

local ends = {}

function ends.everything(_, _, now)
  local count = tonumber(call('HGET', P .. 'living', 'l') or 0)
  if count > 0 then
    for _, field in ipairs(call('HKEYS', P .. 'living')) do
      call('HSET', P .. 'living', field, 0)
    end
    keep_cut('cut', now)
    mark_later('e', '')
  end
  return count
end

function ends.app(app, _, now)
  local count = tonumber(call('HGET', P .. 'living', 'a:' .. app) or 0)
  if count > 0 then
    call('HSET', P .. 'living', 'a:' .. app, 0)
    keep_cut('cut:a:' .. app, now)
    mark_later('a', app)
  end
  return count
end

function ends.user(user, _, now)
  local from = floor_of(user)
  local count = call('ZCOUNT', P .. 'u:' .. user, text(from), '+inf')
  -- Not `-count`: the negative of nought is no integer to Redis.
  call('HINCRBY', P .. 'living', 'l', text(0 - count))
  local tallies = call('HGETALL', P .. 't:' .. user)
  for n = 1, #tallies, 2 do
    local app = tallies[n]
    local stamp, grants = string.match(tallies[n + 1], '^(%d+):(%d+)$')
    if tonumber(stamp) >= math.max(from, last_cut(P .. 'cut:a:' .. app)) then
      call('HINCRBY', P .. 'living', 'a:' .. app, -tonumber(grants))
    end
  end
  call('DEL', P .. 't:' .. user)
  -- Kept where nothing was left to end, too: a sign-in that was decided before it must not open.
  keep_cut('cut:u:' .. user, now)
  mark_later('u', user)
  return count
end

function ends.login(sid, _, now)
  local login = read_login(sid)
  if not login or login.end_seq then
    return 0
  end
  end_login(login, now)
  return 1
end

function ends.grant(sid, app, now)
  local login, count = read_login(sid), 0
  if login and not login.end_seq then
    for _, grant in ipairs(grants_of(login)) do
      if grant.client == app then
        end_grant(grant, now)
        count = count + 1
      end
    end
  end
  return count
end

-- After a restore, what was issued at or after its position. Walks what it ends: there is no traffic then.
function ends.restored(from_epoch, from_number, now)
  from_epoch, from_number = tonumber(from_epoch), tonumber(from_number)
  local over = {}
  for _, field in ipairs(call('HKEYS', P .. 'living')) do
    local app = string.match(field, '^a:(.*)$')
    local from, older = 0, app == nil
    while not older do
      local ids = call('ZREVRANGE', P .. 'a:' .. app, from, from + 255)
      for _, id in ipairs(ids) do
        local grant = read_grant(id)
        local at_epoch, at_number = string.match(grant.rev, '^(%d+)%.(%d+)$')
        at_epoch, at_number = tonumber(at_epoch), tonumber(at_number)
        if at_epoch < from_epoch or (at_epoch == from_epoch and at_number < from_number) then
          older = true
          break
        end
        if not grant.end_seq and not grant.login.end_seq then
          over[#over + 1] = grant
        end
      end
      from, older = from + 256, older or #ids < 256
    end
  end
  for _, grant in ipairs(over) do
    end_grant(grant, now)
  end
  return #over
end

function ends.key()
  return 0
end

-- Appends the cut-off and ends what it covers: how many.
local function end_scope(kind, a, b, change, now)
  append(change, now)
  return ends[kind](a, b, now)
end

-- Cut-offs from ARGV[from] on, four values each.
local function end_all(from, now)
  for n = from, #ARGV, 4 do
    end_scope(ARGV[n], ARGV[n + 1], ARGV[n + 2], ARGV[n + 3], now)
  end
end

local function add_grant(id, login, client, digest, now)
  local rev = text(epoch) .. '.' .. text(number)
  call('HSET', P .. 'g:' .. id, 'sid', login.sid, 'client', client, 'born', text(seq), 'rev', rev, 'opened', now,
    'used', now, 'generation', 0, 'digest', digest, 'moved', now)
  call('SADD', P .. 'lg:' .. login.sid, id)
  call('ZADD', P .. 'a:' .. client, seq, id)
  tally(login.user, client, 1)
  return rev
end
