-- Snapshots of the core's state, in chunks.

-- name: begin
INSERT INTO snapshots (epoch, entry_ms, entry_seq, schema, digest)
VALUES ($1, $2, $3, $4, $5)
RETURNING snapshot_id

-- name: add_chunk
INSERT INTO snapshot_chunks (snapshot_id, chunk_index, crc32, data)
VALUES ($1, $2, $3, $4)

-- name: finish
UPDATE snapshots
SET size = $2, chunks = $3, sha256 = $4, complete = true
WHERE snapshot_id = $1
    AND (SELECT count(*) FROM snapshot_chunks WHERE snapshot_id = $1) = $3

-- name: newest
SELECT snapshot_id, epoch, entry_ms, entry_seq, schema, digest, size, chunks, sha256, created_at
FROM snapshots
WHERE complete AND ($1::text IS NULL OR epoch = $1)
ORDER BY entry_ms DESC, entry_seq DESC, snapshot_id DESC
LIMIT $2

-- name: chunk
SELECT crc32, data FROM snapshot_chunks WHERE snapshot_id = $1 AND chunk_index = $2

-- name: prune_complete
DELETE FROM snapshots
WHERE complete AND snapshot_id NOT IN (
    SELECT snapshot_id FROM snapshots
    WHERE complete
    ORDER BY entry_ms DESC, entry_seq DESC, snapshot_id DESC
    LIMIT $1
)

-- name: prune_abandoned
DELETE FROM snapshots
WHERE NOT complete AND created_at < now() - $1::interval
