-- Moves a line on, if it stands where it was judged and nothing has ended since.
local id, judged, generation, digest, moved, used = unpack(ARGV)
local grant = read_grant(id)
if not grant or grant.end_seq or grant.login.end_seq or grant.generation ~= judged then
  return { 'changed' }
end
if tonumber(grant.used) > tonumber(used) then
  used = grant.used
end
call('HSET', P .. 'g:' .. id, 'used', used, 'generation', generation, 'digest', digest, 'moved', moved)
return { 'moved' }
