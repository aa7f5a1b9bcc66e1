-- The archive's position, and reading back what was archived.

-- name: read_position
SELECT epoch, entry_ms, entry_seq, chain FROM archive_position

-- name: advance_position
UPDATE archive_position
SET epoch = $1, entry_ms = $2, entry_seq = $3, chain = $4, updated_at = now()
WHERE epoch = $5 AND entry_ms = $6 AND entry_seq = $7

-- name: adopt_epoch
UPDATE archive_position
SET epoch = $2, updated_at = now()
WHERE epoch = $1

-- name: partitions
SELECT child.relname AS name, parent.relname AS parent
FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
JOIN pg_class AS parent ON parent.oid = inhparent
WHERE parent.relname = ANY($1::text[]) AND pg_table_is_visible(parent.oid)
ORDER BY child.relname

-- name: covered_ms
SELECT coalesce(max(entry_ms), 0) FROM snapshots WHERE complete

-- name: entries_after
SELECT entry_ms, entry_seq, epoch, payload, chain
FROM log_entries
WHERE (entry_ms, entry_seq) > ($1, $2)
ORDER BY entry_ms, entry_seq
LIMIT $3

-- name: events_between
SELECT entry_ms, entry_seq, command_index, payload
FROM events
WHERE (entry_ms, entry_seq) > ($1, $2) AND (entry_ms, entry_seq) <= ($3, $4)
ORDER BY entry_ms, entry_seq, event_index

-- name: outcomes_between
SELECT entry_ms, entry_seq, payload
FROM command_outcomes
WHERE (entry_ms, entry_seq) > ($1, $2) AND (entry_ms, entry_seq) <= ($3, $4)
ORDER BY entry_ms, entry_seq, command_index

-- name: nth_newest_event_ms
SELECT entry_ms
FROM events
WHERE entry_ms BETWEEN $1 AND $2 AND (entry_ms, entry_seq) <= ($2, $3)
ORDER BY entry_ms DESC, entry_seq DESC, event_index DESC
OFFSET $4 LIMIT 1

-- name: recent_channel_events
SELECT channel, seq, entry_ms, entry_seq, event_index, payload
FROM channel_events JOIN events USING (entry_ms, entry_seq, event_index)
WHERE entry_ms BETWEEN $1 AND $2 AND (entry_ms, entry_seq) <= ($2, $3)
ORDER BY entry_ms DESC, entry_seq DESC, event_index DESC, channel
LIMIT $4
