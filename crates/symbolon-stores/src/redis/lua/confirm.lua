-- Writes what is there already: who waits for this write waits for all before it, whoever wrote them.
call('HSET', HEAD, 'seq', text(seq))
-- Whoever asks for that uses the cell.
call('HDEL', HEAD, 'fresh')
return {}
