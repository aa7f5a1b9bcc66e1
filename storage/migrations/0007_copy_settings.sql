-- Every version of a copy's settings is an event; this finds those of one copy.

CREATE INDEX events_copy_settings
    ON events (trader, counterparty, entry_ms, entry_seq, event_index)
    WHERE kind = 'CopySet';
