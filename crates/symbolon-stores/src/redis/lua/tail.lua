-- The head, the oldest entry that is kept, and up to ARGV[2] entries after ARGV[1].
local oldest = call('XRANGE', P .. 'log', '-', '+', 'COUNT', 1)[1]
local found = call('XRANGE', P .. 'log', '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
local shown = {}
for _, entry in ipairs(found) do
  shown[#shown + 1] = { entry[1], entry[2][2], entry[2][4] }
end
return { text(epoch) .. '.' .. text(number), oldest and oldest[1] or '', shown }
