-- API keys. Columns in the order of storage.api_keys.ApiKey.

-- name: create
INSERT INTO api_keys
    (key_id, account_id, name, prefix, secret_hash, scopes, addresses, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: by_secret_hash
SELECT key_id, account_id, name, prefix, secret_hash, scopes, addresses, api_keys.created_at,
    expires_at, last_used_at, revoked_at, trader, role, status
FROM api_keys JOIN accounts USING (account_id)
WHERE secret_hash = $1

-- name: by_prefix
SELECT key_id, account_id, name, prefix, secret_hash, scopes, addresses, api_keys.created_at,
    expires_at, last_used_at, revoked_at, trader, role, status
FROM api_keys JOIN accounts USING (account_id)
WHERE prefix = $1

-- name: of_account
SELECT key_id, account_id, name, prefix, secret_hash, scopes, addresses, api_keys.created_at,
    expires_at, last_used_at, revoked_at, trader, role, status
FROM api_keys JOIN accounts USING (account_id)
WHERE account_id = $1 AND revoked_at IS NULL
ORDER BY api_keys.created_at DESC, key_id

-- name: revoke
UPDATE api_keys SET revoked_at = $3
WHERE account_id = $1 AND key_id = $2 AND revoked_at IS NULL

-- name: touch
UPDATE api_keys
SET last_used_at = used.at
FROM unnest($1::text[], $2::timestamptz[]) AS used (key_id, at)
WHERE api_keys.key_id = used.key_id
    AND (last_used_at IS NULL OR last_used_at < used.at)
