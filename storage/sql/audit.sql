-- The append-only audit log.

-- name: lock
SELECT pg_advisory_xact_lock($1)

-- name: newest
SELECT audit_id, hash FROM audit_log ORDER BY audit_id DESC LIMIT 1

-- name: append
INSERT INTO audit_log
    (audit_id, at, actor, action, subject, address, detail, previous_hash, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: after
SELECT audit_id, at, actor, action, subject, address, detail, previous_hash, hash
FROM audit_log WHERE audit_id > $1 ORDER BY audit_id LIMIT $2

-- name: before
SELECT audit_id, at, actor, action, subject, address, detail, previous_hash, hash
FROM audit_log WHERE audit_id < $1 ORDER BY audit_id DESC LIMIT $2

-- name: before_of_subject
SELECT audit_id, at, actor, action, subject, address, detail, previous_hash, hash
FROM audit_log WHERE audit_id < $1 AND subject = $3 ORDER BY audit_id DESC LIMIT $2
