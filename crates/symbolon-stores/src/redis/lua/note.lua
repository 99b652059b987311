-- Appends an entry that ends nothing.
append(ARGV[2], ARGV[1])
return { 'noted', text(epoch) .. '.' .. text(number) }
