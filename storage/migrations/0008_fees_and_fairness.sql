-- Fee statements of one copy, the closings of days, and the signals between two of them.

CREATE INDEX events_fees
    ON events (trader, counterparty, entry_ms, entry_seq, event_index)
    WHERE kind = 'CopyFeeCharged';
CREATE INDEX events_days ON events (entry_ms, entry_seq, event_index)
    WHERE kind = 'DayClosed';
CREATE INDEX events_signals ON events (entry_ms, entry_seq, event_index)
    WHERE kind = 'SignalDispatched';
