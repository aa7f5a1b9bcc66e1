-- Identity, outside the core: the log never holds any of this, so that erasure is possible.

CREATE TABLE accounts (
    account_id text PRIMARY KEY,
    trader text NOT NULL UNIQUE,
    email text,
    handle text NOT NULL CHECK (handle <> ''),
    display_name text NOT NULL DEFAULT '',
    password_hash text,
    role text NOT NULL DEFAULT 'trader' CHECK (role IN ('trader', 'service', 'admin')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'erased')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (email = lower(email) AND email <> ''),
    CHECK (status <> 'erased' OR (email IS NULL AND password_hash IS NULL)),
    CONSTRAINT accounts_email_key UNIQUE (email)
);

CREATE UNIQUE INDEX accounts_handle_key ON accounts (lower(handle));

-- A login is one family of refresh tokens: each use replaces the token by the next.
CREATE TABLE logins (
    login_id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_agent text NOT NULL DEFAULT '',
    address text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoke_reason text,
    CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL)),
    CHECK (expires_at > created_at)
);

CREATE INDEX logins_account ON logins (account_id, created_at);
CREATE INDEX logins_expiry ON logins (expires_at);
CREATE INDEX logins_revoked ON logins (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    login_id text NOT NULL REFERENCES logins ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    rotated_at timestamptz
);

-- at most one token of a login is good
CREATE UNIQUE INDEX refresh_tokens_live ON refresh_tokens (login_id) WHERE rotated_at IS NULL;
CREATE INDEX refresh_tokens_login ON refresh_tokens (login_id);

CREATE TABLE api_keys (
    key_id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name text NOT NULL,
    prefix text NOT NULL UNIQUE,
    secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    scopes text[] NOT NULL,
    addresses text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

CREATE INDEX api_keys_account ON api_keys (account_id, created_at);
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
