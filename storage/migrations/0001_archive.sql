-- The archive: the log's commands and the events they led to, each exactly once.
--
-- entry_ms and entry_seq are the id of the log entry; event_index counts the events of an entry,
-- command_index the commands of it. Ids never repeat, not even across epochs: a new epoch's ids
-- follow those of the archive. Growing tables are partitioned by month of entry_ms (UTC);
-- storage/partitions.py makes and drops the partitions.

CREATE TABLE log_entries (
    entry_ms bigint NOT NULL,
    entry_seq integer NOT NULL,
    epoch text NOT NULL,
    payload bytea NOT NULL,
    chain bytea NOT NULL,
    PRIMARY KEY (entry_ms, entry_seq)
) PARTITION BY RANGE (entry_ms);

COMMENT ON COLUMN log_entries.chain IS 'digest chain of the state after this entry';

CREATE TABLE events (
    entry_ms bigint NOT NULL,
    entry_seq integer NOT NULL,
    event_index integer NOT NULL CHECK (event_index >= 0),
    command_index integer NOT NULL CHECK (command_index >= 0),
    at_us bigint NOT NULL,
    kind text NOT NULL,
    trader text,
    symbol text,
    counterparty text,
    code text,
    payload bytea NOT NULL,
    PRIMARY KEY (entry_ms, entry_seq, event_index)
) PARTITION BY RANGE (entry_ms);

COMMENT ON COLUMN events.at_us IS 'market time, microseconds since 1970 UTC';
COMMENT ON COLUMN events.counterparty IS 'the leader of a copy, the target of a follow';

CREATE INDEX events_fills ON events (at_us, entry_ms, entry_seq, event_index)
    WHERE kind = 'FillBooked';
CREATE INDEX events_fills_trader ON events (trader, at_us, entry_ms, entry_seq, event_index)
    WHERE kind = 'FillBooked';
CREATE INDEX events_fills_symbol ON events (symbol, at_us, entry_ms, entry_seq, event_index)
    WHERE kind = 'FillBooked';
CREATE INDEX events_decisions
    ON events (trader, counterparty, entry_ms, entry_seq, event_index)
    WHERE kind = 'CopyDecided';
-- executed is the common code and is served by the index above
CREATE INDEX events_decisions_code
    ON events (trader, counterparty, code, entry_ms, entry_seq, event_index)
    WHERE kind = 'CopyDecided' AND code <> 'EXECUTED';

CREATE TABLE command_outcomes (
    entry_ms bigint NOT NULL,
    entry_seq integer NOT NULL,
    command_index integer NOT NULL CHECK (command_index >= 0),
    principal text NOT NULL,
    name text NOT NULL,
    key text,
    code text NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (entry_ms, entry_seq, command_index)
) PARTITION BY RANGE (entry_ms);

COMMENT ON TABLE command_outcomes IS
    'answers on record: those to commands with an idempotency key, and refusals';

CREATE INDEX command_outcomes_key ON command_outcomes (principal, key) WHERE key IS NOT NULL;

CREATE TABLE channel_events (
    channel text NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    entry_ms bigint NOT NULL,
    entry_seq integer NOT NULL,
    event_index integer NOT NULL,
    PRIMARY KEY (channel, seq, entry_ms)
) PARTITION BY RANGE (entry_ms);

CREATE TABLE archive_position (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch text NOT NULL,
    entry_ms bigint NOT NULL,
    entry_seq integer NOT NULL,
    chain bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10); -- updated with every transaction: room for updates in place

COMMENT ON TABLE archive_position IS
    'how far the archive reaches; changed in the transaction that writes the rows';

INSERT INTO archive_position (epoch, entry_ms, entry_seq, chain) VALUES ('', 0, 0, '');
