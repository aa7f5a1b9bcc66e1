-- Pages of the archive, newest first, by key: (at_us, entry_ms, entry_seq, event_index) of the
-- last row seen. The literal in `kind = …` lets the planner use the partial indices.

-- name: trades
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'FillBooked' AND at_us >= $1
    AND (at_us, entry_ms, entry_seq, event_index) < ($2, $3, $4, $5)
ORDER BY at_us DESC, entry_ms DESC, entry_seq DESC, event_index DESC
LIMIT $6

-- name: trades_of_trader
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'FillBooked' AND at_us >= $1
    AND (at_us, entry_ms, entry_seq, event_index) < ($2, $3, $4, $5)
    AND trader = $7
ORDER BY at_us DESC, entry_ms DESC, entry_seq DESC, event_index DESC
LIMIT $6

-- name: trades_in_symbol
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'FillBooked' AND at_us >= $1
    AND (at_us, entry_ms, entry_seq, event_index) < ($2, $3, $4, $5)
    AND symbol = $7
ORDER BY at_us DESC, entry_ms DESC, entry_seq DESC, event_index DESC
LIMIT $6

-- name: trades_of_trader_in_symbol
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'FillBooked' AND at_us >= $1
    AND (at_us, entry_ms, entry_seq, event_index) < ($2, $3, $4, $5)
    AND trader = $7 AND symbol = $8
ORDER BY at_us DESC, entry_ms DESC, entry_seq DESC, event_index DESC
LIMIT $6

-- name: decisions
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'CopyDecided' AND trader = $1 AND counterparty = $2
    AND (entry_ms, entry_seq, event_index) < ($3, $4, $5)
ORDER BY entry_ms DESC, entry_seq DESC, event_index DESC
LIMIT $6

-- name: decisions_executed
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'CopyDecided' AND trader = $1 AND counterparty = $2 AND code = 'EXECUTED'
    AND (entry_ms, entry_seq, event_index) < ($3, $4, $5)
ORDER BY entry_ms DESC, entry_seq DESC, event_index DESC
LIMIT $6

-- name: decisions_skipped
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'CopyDecided' AND trader = $1 AND counterparty = $2
    AND code = $7 AND code <> 'EXECUTED'
    AND (entry_ms, entry_seq, event_index) < ($3, $4, $5)
ORDER BY entry_ms DESC, entry_seq DESC, event_index DESC
LIMIT $6

-- name: channel_after
WITH page AS MATERIALIZED (
    SELECT seq, entry_ms, entry_seq, event_index
    FROM channel_events
    WHERE channel = $1 AND seq > $2
    ORDER BY seq
    LIMIT $3
)
SELECT seq, entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM page JOIN events USING (entry_ms, entry_seq, event_index)
ORDER BY seq

-- name: channel_before
WITH page AS MATERIALIZED (
    SELECT seq, entry_ms, entry_seq, event_index
    FROM channel_events
    WHERE channel = $1 AND seq < $2
    ORDER BY seq DESC
    LIMIT $3
)
SELECT seq, entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM page JOIN events USING (entry_ms, entry_seq, event_index)
ORDER BY seq DESC

-- name: outcome_of_key
SELECT entry_ms, entry_seq, payload
FROM command_outcomes
WHERE principal = $1 AND key = $2
ORDER BY entry_ms DESC, entry_seq DESC, command_index DESC
LIMIT 1
