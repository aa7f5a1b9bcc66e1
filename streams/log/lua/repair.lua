-- Append lost entries again under their own ids, right after the head.
--
-- KEYS  1 log, 2 head, 3 epoch, 4 repair lock
-- ARGV  1 epoch, 2 head the entries follow, 3 the caller's token,
--       4 milliseconds to hold the lock: until the next part, or, after the last part, the grace in
--         which nodes that know of still later entries may repair before anybody appends,
--       5 '1' when this is the last part,
--       6.. triples: id, payload, checksum
-- Returns {'OK', head} | {'EPOCH', epoch} | {'BUSY'} | {'MOVED', head}, or the server's own error.

local held = redis.call('MGET', KEYS[2], KEYS[3], KEYS[4])
local head, epoch, holder = held[1] or '0-0:00000000', held[2] or '', held[3]

if epoch ~= ARGV[1] then return {'EPOCH', epoch} end
if holder and holder ~= ARGV[3] and holder ~= 'grace' then return {'BUSY'} end
if head ~= ARGV[2] then return {'MOVED', head} end

redis.call('SET', KEYS[4], ARGV[5] == '1' and 'grace' or ARGV[3], 'PX', ARGV[4])
for index = 6, #ARGV, 3 do
  local id = redis.pcall('XADD', KEYS[1], ARGV[index],
    'd', ARGV[index + 1], 'p', head, 'c', ARGV[index + 2])
  if type(id) == 'table' then return id end
  head = id .. ':' .. ARGV[index + 2]
  redis.call('SET', KEYS[2], head)
end
return {'OK', head}
