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

-- name: copy_settings
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'CopySet' AND trader = $1 AND counterparty = $2
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

-- name: links_of
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind IN ('TraderFollowed', 'TraderUnfollowed') AND trader = $1
ORDER BY entry_ms, entry_seq, event_index

-- name: posts_within
WITH spans AS (
    SELECT *
    FROM unnest(
        $1::text[], $2::bigint[], $3::bigint[], $4::bigint[],
        $5::bigint[], $6::bigint[], $7::bigint[]
    ) AS s (channel, from_ms, from_seq, from_index, to_ms, to_seq, to_index)
), page AS MATERIALIZED (
    SELECT entry_ms, entry_seq, event_index
    FROM spans JOIN channel_events USING (channel)
    WHERE (entry_ms, entry_seq, event_index) > (from_ms, from_seq, from_index)
        AND (entry_ms, entry_seq, event_index) < (to_ms, to_seq, to_index)
    ORDER BY entry_ms, entry_seq, event_index
    OFFSET $8 LIMIT $9
)
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM page JOIN events USING (entry_ms, entry_seq, event_index)
ORDER BY entry_ms, entry_seq, event_index

-- name: posts_before
WITH page AS MATERIALIZED (
    SELECT post.channel, post.seq, post.entry_ms, post.entry_seq, post.event_index
    FROM unnest($1::text[]) AS author (channel)
    CROSS JOIN LATERAL (
        SELECT channel, seq, entry_ms, entry_seq, event_index
        FROM channel_events
        WHERE channel_events.channel = author.channel AND entry_ms <= $2
            AND (entry_ms, entry_seq, event_index) < ($2, $3, $4)
        ORDER BY seq DESC
        LIMIT $5
    ) AS post
    ORDER BY post.entry_ms DESC, post.entry_seq DESC, post.event_index DESC
    LIMIT $5
)
SELECT channel, seq, entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM page JOIN events USING (entry_ms, entry_seq, event_index)
ORDER BY entry_ms DESC, entry_seq DESC, event_index DESC

-- name: statements
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'CopyFeeCharged' AND trader = $1 AND counterparty = $2
ORDER BY entry_ms DESC, entry_seq DESC, event_index DESC
OFFSET $3 LIMIT $4

-- name: days_closed
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM events
WHERE kind = 'DayClosed'
ORDER BY entry_ms DESC, entry_seq DESC, event_index DESC
LIMIT $1

-- name: openings_between
WITH entries AS MATERIALIZED (
    SELECT DISTINCT entry_ms, entry_seq
    FROM events
    WHERE kind = 'SignalDispatched'
        AND (entry_ms, entry_seq, event_index) > ($1, $2, $3)
        AND (entry_ms, entry_seq, event_index) < ($4, $5, $6)
    ORDER BY entry_ms, entry_seq
    LIMIT $7
)
SELECT entry_ms, entry_seq, command_index, event_index, at_us, payload
FROM entries JOIN events USING (entry_ms, entry_seq)
WHERE kind IN ('CopyDecided', 'SignalDispatched')
    AND (entry_ms, entry_seq, event_index) > ($1, $2, $3)
    AND (entry_ms, entry_seq, event_index) < ($4, $5, $6)
ORDER BY entry_ms, entry_seq, event_index
LIMIT $7
