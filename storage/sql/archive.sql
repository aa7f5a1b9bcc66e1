-- The archive's position, and reading back what was archived.

-- name: read_position
SELECT epoch, entry_ms, entry_seq, chain FROM archive_position

-- name: advance_position
UPDATE archive_position
SET epoch = $1, entry_ms = $2, entry_seq = $3, chain = $4, updated_at = now()
WHERE epoch = $5 AND entry_ms = $6 AND entry_seq = $7

-- name: partitions
SELECT child.relname AS name, parent.relname AS parent
FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
JOIN pg_class AS parent ON parent.oid = inhparent
WHERE parent.relname = ANY($1::text[]) AND pg_table_is_visible(parent.oid)
ORDER BY child.relname

-- name: covered_ms
SELECT coalesce(max(entry_ms), 0) FROM snapshots WHERE complete
