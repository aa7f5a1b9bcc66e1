-- Begin a new epoch, unless another node has already done so.
--
-- KEYS  1 log, 2 head, 3 epoch, 4 repair lock
-- ARGV  1 epoch the caller knows, 2 and 3 id the new epoch's ids follow (ms, seq),
--       4 the part of the new epoch's name that makes it unique
-- Returns {'OK', epoch} | {'EPOCH', epoch}
--
-- Nodes rebuilt from the archive may stand above the newest entry held: the head becomes a link
-- with a range, so that they and nodes that stand at the newest entry can both read on.

local held = redis.call('MGET', KEYS[2], KEYS[3])
local head, epoch = held[1] or '0-0:00000000', held[2] or ''
if epoch ~= ARGV[1] then return {'EPOCH', epoch} end

local high_ms, high_seq, checksum, low = string.match(head, '^(%d+)%-(%d+):([^:]*):?(.*)$')
if low == '' then low = high_ms .. '-' .. high_seq end
high_ms, high_seq = tonumber(high_ms), tonumber(high_seq)
local ms, seq = tonumber(ARGV[2]), tonumber(ARGV[3])
if ms > high_ms or (ms == high_ms and seq > high_seq) then
  if redis.call('EXISTS', KEYS[1]) == 0 then
    -- The only way to make an empty stream; XSETID needs one.
    redis.call('XGROUP', 'CREATE', KEYS[1], 'empty', '0', 'MKSTREAM')
    redis.call('XGROUP', 'DESTROY', KEYS[1], 'empty')
  end
  local id = ARGV[2] .. '-' .. ARGV[3]
  redis.call('XSETID', KEYS[1], id)
  redis.call('SET', KEYS[2], id .. ':' .. checksum .. ':' .. low)
end

local number = tonumber(string.match(epoch, '^e(%d+)') or '0')
epoch = 'e' .. (number + 1) .. '.' .. ARGV[4]
redis.call('SET', KEYS[3], epoch)
redis.call('DEL', KEYS[4])
return {'OK', epoch}
