-- Logins and their refresh tokens.

-- name: create_login
INSERT INTO logins (login_id, account_id, user_agent, address, created_at, used_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $5, $6)

-- name: issue_token
INSERT INTO refresh_tokens (token_hash, login_id, issued_at) VALUES ($1, $2, $3)

-- name: token
SELECT login_id, account_id, rotated_at, revoked_at, expires_at, status
FROM refresh_tokens JOIN logins USING (login_id) JOIN accounts USING (account_id)
WHERE token_hash = $1
FOR UPDATE OF refresh_tokens, logins

-- name: retire_token
UPDATE refresh_tokens SET rotated_at = $2 WHERE token_hash = $1

-- name: use_login
UPDATE logins SET used_at = $2, expires_at = $3 WHERE login_id = $1

-- name: revoke_login
UPDATE logins SET revoked_at = $3, revoke_reason = $4
WHERE account_id = $1 AND login_id = $2 AND revoked_at IS NULL

-- name: revoke_logins_but
UPDATE logins SET revoked_at = $3, revoke_reason = $4
WHERE account_id = $1 AND login_id <> $2 AND revoked_at IS NULL
RETURNING login_id

-- name: live_logins
SELECT login_id, account_id, user_agent, address, created_at, used_at, expires_at
FROM logins
WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2
ORDER BY created_at DESC, login_id

-- name: revoked_since
SELECT login_id AS id, revoked_at FROM logins WHERE revoked_at >= $1
UNION ALL
SELECT key_id AS id, revoked_at FROM api_keys WHERE revoked_at >= $1
ORDER BY revoked_at, id

-- name: prune_logins
DELETE FROM logins WHERE expires_at < $1 OR revoked_at < $1
