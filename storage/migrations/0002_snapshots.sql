-- Snapshots of the core's state. Chunks are written one by one; a snapshot counts when complete.

CREATE TABLE snapshots (
    snapshot_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    epoch text NOT NULL,
    entry_ms bigint NOT NULL,
    entry_seq integer NOT NULL,
    schema integer NOT NULL,
    digest bytea NOT NULL,
    size bigint CHECK (size >= 0),
    chunks integer CHECK (chunks >= 0),
    sha256 bytea CHECK (octet_length(sha256) = 32),
    complete boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (NOT complete OR (size IS NOT NULL AND chunks IS NOT NULL AND sha256 IS NOT NULL))
);

COMMENT ON COLUMN snapshots.digest IS 'digest of the state, as replicas publish it';
COMMENT ON COLUMN snapshots.sha256 IS 'of the stored bytes';

CREATE INDEX snapshots_newest ON snapshots (entry_ms DESC, entry_seq DESC) WHERE complete;

CREATE TABLE snapshot_chunks (
    snapshot_id bigint NOT NULL REFERENCES snapshots ON DELETE CASCADE,
    chunk_index integer NOT NULL CHECK (chunk_index >= 0),
    crc32 bigint NOT NULL,
    data bytea NOT NULL CHECK (octet_length(data) BETWEEN 1 AND 8388608),
    PRIMARY KEY (snapshot_id, chunk_index)
);

-- the writer has compressed what is worth it; pglz would only cost time
ALTER TABLE snapshot_chunks ALTER COLUMN data SET STORAGE EXTERNAL;
