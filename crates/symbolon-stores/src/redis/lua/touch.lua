-- Writes times of use, each at most once in ARGV[1] milliseconds and never for what is over. Gives what stands then.
local times = {}
for n = 2, #ARGV, 2 do
  local grant, at = read_grant(ARGV[n]), ARGV[n + 1]
  if grant and not grant.end_seq and stands(grant.login, at) and tonumber(at) >= grant.used + ARGV[1] then
    call('HSET', P .. 'g:' .. ARGV[n], 'used', at)
    grant.used = at
  end
  times[#times + 1] = grant and grant.used or ''
end
return times
