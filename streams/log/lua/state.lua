-- Return the epoch (begun when absent) and the head, after making the head agree with the stream.
--
-- KEYS  1 log, 2 head, 3 epoch
-- ARGV  1 name of the epoch to begin when there is none
-- Returns {epoch, head}
--
-- The stream is what counts. The head disagrees with it only after somebody deleted, restored or
-- edited keys by hand; the append script cannot afford to look, so it is done at each connect.

local epoch = redis.call('GET', KEYS[3])
if not epoch then
  epoch = ARGV[1]
  redis.call('SET', KEYS[3], epoch)
end

local head = redis.call('GET', KEYS[2]) or '0-0:00000000'
local last = '0-0'
local exists = redis.call('EXISTS', KEYS[1]) == 1
if exists then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for index = 1, #info, 2 do
    if info[index] == 'last-generated-id' then last = info[index + 1] end
  end
end

if string.match(head, '^[^:]+') ~= last then
  head = '0-0:00000000'
  local newest = exists and redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  if newest then
    local checksum = ''
    for index = 1, #newest[2], 2 do
      if newest[2][index] == 'c' then checksum = newest[2][index + 1] end
    end
    head = newest[1] .. ':' .. checksum
    if newest[1] ~= last then head = last .. ':' .. checksum .. ':' .. newest[1] end
  elseif exists and last ~= '0-0' then
    head = last .. ':'
  end
  redis.call('SET', KEYS[2], head)
end
return {epoch, head}
