-- Accounts. Columns in the order of storage.accounts.Account.

-- name: create
INSERT INTO accounts (account_id, trader, email, handle, display_name, password_hash, role)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING account_id, trader, email, handle, display_name, password_hash, role, status, created_at

-- name: by_id
SELECT account_id, trader, email, handle, display_name, password_hash, role, status, created_at
FROM accounts WHERE account_id = $1

-- name: by_email
SELECT account_id, trader, email, handle, display_name, password_hash, role, status, created_at
FROM accounts WHERE email = $1

-- name: by_handle
SELECT account_id, trader, email, handle, display_name, password_hash, role, status, created_at
FROM accounts WHERE lower(handle) = lower($1)

-- name: by_trader
SELECT account_id, trader, email, handle, display_name, password_hash, role, status, created_at
FROM accounts WHERE trader = $1

-- name: change
UPDATE accounts
SET email = coalesce($2, email),
    display_name = coalesce($3, display_name),
    password_hash = coalesce($4, password_hash),
    role = coalesce($5, role),
    status = coalesce($6, status),
    handle = coalesce($7, handle),
    updated_at = now()
WHERE account_id = $1 AND status <> 'erased'
RETURNING account_id, trader, email, handle, display_name, password_hash, role, status, created_at

-- name: erase
UPDATE accounts
SET email = NULL, handle = 'erased:' || account_id, display_name = '', password_hash = NULL,
    status = 'erased', updated_at = now()
WHERE account_id = $1

-- name: erase_logins
DELETE FROM logins WHERE account_id = $1

-- name: erase_api_keys
DELETE FROM api_keys WHERE account_id = $1
