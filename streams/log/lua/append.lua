-- Append one entry, unless the log lacks what the caller has applied.
--
-- KEYS  1 log, 2 head, 3 epoch, 4 repair lock
-- ARGV  1 epoch the caller opened, 2 and 3 newest entry the caller applied (ms, seq),
--       4 payload, 5 its checksum
-- Returns {'OK', id, head before} | {'EPOCH', epoch} | {'TRUNCATED', head} | {'REPAIRING'}, or the server's
-- own error when it refuses the XADD (out of memory): then nothing was written.
--
-- The head key holds the link (see link.py) that the next entry stores as its `p`. Reading a
-- short string is cheap; XINFO would copy the first and last payload into the script.
-- Milliseconds stay below 2^53, so Lua's numbers compare them exactly.

local held = redis.call('MGET', KEYS[2], KEYS[3], KEYS[4])
local head, epoch = held[1] or '0-0:00000000', held[2] or ''

if epoch ~= ARGV[1] then return {'EPOCH', epoch} end
-- Nobody appends while lost entries are put back: they need the place right after the head.
if held[3] then return {'REPAIRING'} end

local ms, seq = string.match(head, '^(%d+)%-(%d+)')
ms, seq = tonumber(ms), tonumber(seq)
local seen_ms, seen_seq = tonumber(ARGV[2]), tonumber(ARGV[3])
if ms < seen_ms or (ms == seen_ms and seq < seen_seq) then return {'TRUNCATED', head} end
-- A head without a stream: somebody deleted the log's key.
if ms > 0 and redis.call('EXISTS', KEYS[1]) == 0 then return {'TRUNCATED', '0-0:00000000'} end

local id = redis.pcall('XADD', KEYS[1], '*', 'd', ARGV[4], 'p', head, 'c', ARGV[5])
if type(id) == 'table' then return id end
redis.call('SET', KEYS[2], id .. ':' .. ARGV[5])
return {'OK', id, head}
